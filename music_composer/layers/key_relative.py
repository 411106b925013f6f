"""What was heard, as each pitch class hears it: the network's sense of degrees in a key.

Told of pitch classes by their names, a network has to learn every key by itself; told of each class how much was heard
of the one a semitone above it, two above, ..., it learns them all at once.
"""

from __future__ import annotations

from typing import Any

import keras
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


def over_pitches(by_class: Tensor, pitches: int) -> Tensor:
    """What belongs to a pitch class, (..., 12), for each of so many pitches, the first of which is of class 0."""
    times = [1] * (len(by_class.shape) - 1)
    return ops.tile(by_class, (*times, -(-pitches // OCTAVE)))[..., :pitches]


@keras.saving.register_keras_serializable(package="music_composer")
class Tonality(keras.layers.Layer):
    """Weighs pitch classes by their degrees in what was heard, as a hidden state asks for them.

    size: numbers that each class is told by. kinds: ways in which a note can come, each weighed by itself.
    Input: hidden (..., units), and (..., 12, size), as `known` gives it. Output: (..., kinds, 12).
    """

    def __init__(self, size: int, kinds: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.kinds = size, kinds
        self.listen = keras.layers.Dense(size, activation="silu")
        self.ask = keras.layers.Dense(kinds * size)

    def known(self, heard: Tensor) -> Tensor:
        """heard (..., fades, 12) -> (..., 12, size)"""
        return self.listen(degrees(heard))

    def call(self, hidden: Tensor, known: Tensor) -> Tensor:
        asked = ops.reshape(self.ask(hidden), (*ops.shape(hidden)[:-1], self.kinds, self.size))
        return ops.matmul(asked, ops.swapaxes(known, -1, -2))
