"""Measures of how music moves in time: pulse, harmony, repetition and boundaries."""
