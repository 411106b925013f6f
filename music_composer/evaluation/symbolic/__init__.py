"""Measures of notes, their comparison, and reports."""
