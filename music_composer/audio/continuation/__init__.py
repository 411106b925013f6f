"""Continuations of a prompt: by a network or a memory, to files and streams."""
