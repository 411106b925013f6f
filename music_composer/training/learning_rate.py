"""The course of the learning rate."""

from __future__ import annotations

import math

from music_composer.training.options import TrainOptions

FINAL_RATE = 0.02  # of the learning rate, at the end of the cosine


def learning_rate(position: float, options: TrainOptions) -> float:
    """Returns the rate at a position, the share of the job that is done, 0 to 1: linear warm-up, then half a cosine."""
    if position < options.warmup:
        return options.learning_rate * (position / options.warmup * 0.99 + 0.01)
    done = (position - options.warmup) / (1 - options.warmup)
    return options.learning_rate * (FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * done)) / 2)
