"""The piano-roll model."""
