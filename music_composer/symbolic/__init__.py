"""The symbolic backend: scores to piano rolls, models of these, and back."""
