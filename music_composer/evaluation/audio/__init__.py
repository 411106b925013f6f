"""Recordings measured, compared and reported."""
