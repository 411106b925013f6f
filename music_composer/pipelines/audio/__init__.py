"""Jobs of the audio backend."""
