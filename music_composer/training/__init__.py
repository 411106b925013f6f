"""The training loop and the run folder. It knows nothing of sound or of notes."""
