"""The voices model."""
