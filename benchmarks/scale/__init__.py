"""What many hours take: caches of synthetic frames."""
