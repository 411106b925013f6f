"""What `import music_composer` offers."""
