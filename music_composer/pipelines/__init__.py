"""Whole jobs. Only they know the order of the steps; the command line calls only them."""
