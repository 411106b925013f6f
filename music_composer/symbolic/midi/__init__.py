"""MIDI files to scores, and scores to MIDI files."""
