"""The cache of frames, and training windows and batches of them."""
