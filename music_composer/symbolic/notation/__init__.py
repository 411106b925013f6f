"""MusicXML and ABC to scores, and back."""
