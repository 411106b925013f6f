"""Continuations of a prompt by a network or a memory, written to files and streams."""
