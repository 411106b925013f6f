"""The jobs as Python functions with keyword arguments: what `import music_composer` offers. See docs/library.md."""
