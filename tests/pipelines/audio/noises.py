"""Noises that are told apart by their colour."""

from __future__ import annotations

import functools

import numpy as np
import scipy.signal

from tests.command import RATE


@functools.cache
def sound(seconds: float, seed: int) -> np.ndarray:
    """Returns noise with a colour of its own and changing level, (samples,)."""
    rng = np.random.default_rng(seed)
    colour = scipy.signal.firwin2(255, np.linspace(0, 1, 12), rng.uniform(0.01, 1, 12) ** 3)
    level = np.repeat(rng.uniform(0.05, 1, int(seconds * 20) + 1), RATE // 20)[: round(seconds * RATE)]
    return 0.3 * level * scipy.signal.lfilter(colour, 1, rng.standard_normal(round(seconds * RATE)))
