"""The demonstration's composer, its songs and its page."""
