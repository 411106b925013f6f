"""The key history: how often each pitch class sounded recently, which tells a network the key.

A key history counts active notes by pitch class. Older steps count less: each channel decays with its own half-life.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter

from music_composer.values import OCTAVE


def decay_factors(half_lives: Sequence[float]) -> np.ndarray:
    """The factor by which each channel shrinks in a step, float32 (channels, 1). half_lives: in steps."""
    return np.array([0.5 ** (1 / steps) for steps in half_lives], np.float32).reshape(-1, 1)


def pitch_class_matrix(pitches: int) -> np.ndarray:
    """One-hot pitch classes, float32 (pitches, 12). The lowest pitch is of class 0.

    A product with it sums an array over pitches into one over pitch classes.
    """
    return np.eye(OCTAVE, dtype=np.float32)[np.arange(pitches) % OCTAVE]


def key_history_of(active: np.ndarray, half_lives: Sequence[float]) -> np.ndarray:
    """The key history before each step, float32 (steps + 1, channels, 12). The last row is the history after the end.

    active: bool (steps, pitches). half_lives: one for each channel, in steps.
    """
    counts = active.astype(np.float32) @ pitch_class_matrix(active.shape[1])
    counts = np.concatenate([np.zeros((1, OCTAVE), np.float32), counts])  # nothing sounds before the first step
    # h[t] = factor * h[t - 1] + counts[t]: a first-order recursive filter.
    channels = [lfilter([1.0], [1.0, -factor], counts, axis=0) for factor in decay_factors(half_lives)[:, 0]]
    if not channels:
        return np.zeros((len(counts), 0, OCTAVE), np.float32)
    return np.stack(channels, axis=1).astype(np.float32)
