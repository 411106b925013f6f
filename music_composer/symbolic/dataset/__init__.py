"""The cache of piano rolls, its split, and training windows."""
