"""The polyphony model."""
