"""Measures of how near music is to other music, up to copies."""
