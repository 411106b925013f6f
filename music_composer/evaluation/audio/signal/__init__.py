"""Measures of the signal itself: level, spectrum and clicks."""
