"""Keras layers that several models share."""
