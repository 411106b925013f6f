"""Notes measured, compared and reported."""
