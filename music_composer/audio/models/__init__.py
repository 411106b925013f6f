"""The network of the audio backend."""
