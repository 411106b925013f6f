"""Metrics of recordings, their comparison and the report."""
