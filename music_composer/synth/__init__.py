"""A synthesizer: scores as sound."""
