"""Recordings of any format to samples."""
