"""The audio backend: recordings to frames and latents, and back to sound."""
