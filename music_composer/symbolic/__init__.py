"""The symbolic backend: from notes to piano rolls, and back."""
