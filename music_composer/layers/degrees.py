"""What was heard, as each pitch class hears it: the network's sense of degrees in a key.

Told of pitch classes by their names, a network has to learn every key by itself; told of each class how much was heard
of the one a semitone above it, two above, ..., it learns them all at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

Tensor = Any
OCTAVE = 12


def degrees(heard: Tensor) -> Tensor:
    """For each pitch class the shares of those that lie 0 to 11 semitones above it: (..., fades, 12) -> (..., 12,
    fades * 12).
    """
    fades, lead = heard.shape[-2], ops.shape(heard)[:-2]
    shares = heard / ops.maximum(ops.sum(heard, axis=-1, keepdims=True), 1.0)
    above = (np.arange(OCTAVE)[:, None] + np.arange(OCTAVE)) % OCTAVE
    return ops.reshape(ops.swapaxes(ops.take(shares, above, axis=-1), -3, -2), (*lead, OCTAVE, fades * OCTAVE))
