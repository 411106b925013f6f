"""Metrics of structure in time: pulse, harmony, repetition and boundaries."""
