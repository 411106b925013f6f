"""Metrics of similarity to other music, up to copies."""
