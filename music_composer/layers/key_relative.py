"""Key-relative features: pitch classes described by the intervals to what sounded recently, not by their names.

A network that sees pitch classes by name has to learn every key separately. Here each pitch class sees how often the
class a semitone above it sounded, the class two semitones above it, and so on. A scale degree then looks the same in
every key.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.values import OCTAVE

Tensor = Any


def key_relative_shares(key_history: Tensor) -> Tensor:
    """For each pitch class, the shares of the classes that lie 0 to 11 semitones above it.

    Input shape: (..., channels, 12), a key history; see `symbolic.key_history`.
    Output shape: (..., 12, channels * 12). The 12 shares of a channel sum to 1, or to 0 in silence.
    """
    channels, leading = key_history.shape[-2], ops.shape(key_history)[:-2]
    # A count below 1 is not scaled up: long silence fades to 0.
    shares = key_history / ops.maximum(ops.sum(key_history, axis=-1, keepdims=True), 1.0)
    # Row c holds the classes c, c + 1, ... c + 11.
    above = (np.arange(OCTAVE)[:, None] + np.arange(OCTAVE)) % OCTAVE
    return ops.reshape(ops.swapaxes(ops.take(shares, above, axis=-1), -3, -2), (*leading, OCTAVE, channels * OCTAVE))


def over_pitches(by_class: Tensor, pitches: int) -> Tensor:
    """Repeats values of pitch classes for every pitch: (..., 12) -> (..., pitches). The first pitch is of class 0."""
    repeats = [1] * (len(by_class.shape) - 1)
    return ops.tile(by_class, (*repeats, -(-pitches // OCTAVE)))[..., :pitches]


@keras.saving.register_keras_serializable(package="music_composer")
class Tonality(keras.layers.Layer):
    """Scores pitch classes by attention: a hidden state is the query, key-relative features are the keys.

    size: features of each pitch class. kinds: independent scores of each pitch class, such as for new and held notes.

    Input shape: hidden (..., units); features (..., 12, size), as `features` returns them.
    Output shape: (..., kinds, 12), logits.
    """

    # The class name and the attributes `listen` and `ask` are paths in weights files: they stay.
    def __init__(self, size: int, kinds: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.kinds = size, kinds
        self.listen = keras.layers.Dense(size, activation="silu")
        self.ask = keras.layers.Dense(kinds * size)

    def features(self, key_history: Tensor) -> Tensor:
        """Key-relative features of each pitch class: (..., channels, 12) -> (..., 12, size)."""
        return self.listen(key_relative_shares(key_history))

    def call(self, hidden: Tensor, features: Tensor) -> Tensor:
        queries = ops.reshape(self.ask(hidden), (*ops.shape(hidden)[:-1], self.kinds, self.size))
        return ops.matmul(queries, ops.swapaxes(features, -1, -2))
