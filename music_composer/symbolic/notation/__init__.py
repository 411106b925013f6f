"""Reads MusicXML and ABC into scores, and writes MusicXML."""
