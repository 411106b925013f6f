"""The audio backend: from recordings to frames and latents, and back."""
