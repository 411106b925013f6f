"""Folders of music, indexes of caches, and splits: what both backends do alike."""
