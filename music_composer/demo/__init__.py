"""A rule-based composer, its songs, and the page of the demonstration."""
