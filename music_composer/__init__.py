"""Learns music from a folder of recordings, and goes on playing."""

__version__ = "0.1.0"
