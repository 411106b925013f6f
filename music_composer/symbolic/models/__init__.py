"""The models of notes, a package each, and what they share."""
