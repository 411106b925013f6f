"""How much of each pitch class was heard lately: what a key is known by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter

OCTAVE = 12


def fading(fades: Sequence[float]) -> np.ndarray:
    """What a step leaves of what was heard, float (fades, 1). fades: steps after which half is left."""
    return np.array([0.5 ** (1 / steps) for steps in fades], np.float32).reshape(-1, 1)


def classes_of(pitches: int) -> np.ndarray:
    """The class of each pitch as one of twelve, the first being class 0, float (pitches, 12)."""
    return np.eye(OCTAVE, dtype=np.float32)[np.arange(pitches) % OCTAVE]


def heard_before(sounding: np.ndarray, fades: Sequence[float]) -> np.ndarray:
    """How many notes of each pitch class were heard before each step, and before the one after the last, older ones
    counting less: bool (steps, pitches) -> float (steps + 1, fades, 12).
    """
    classes = sounding.astype(np.float32) @ classes_of(sounding.shape[1])
    classes = np.concatenate([np.zeros((1, OCTAVE), np.float32), classes])
    heard = [lfilter([1.0], [1.0, -left], classes, axis=0) for left in fading(fades)[:, 0]]
    return np.stack(heard, axis=1).astype(np.float32) if heard else np.zeros((len(classes), 0, OCTAVE), np.float32)
