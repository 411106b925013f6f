"""The biaxial model: LSTMs along time, shared by all notes, then LSTMs along the notes (Johnson 2015 and 2017).

Every note hears the same network, told of what lies around it, so that music is the same at any pitch; the second
stack goes from the lowest note to the highest and knows what those below will do.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import lstm_along
from music_composer.symbolic.models.biaxial.features import ALREADY, BEFORE, already, before, features, features_of
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.options import BiaxialOptions

Tensor = Any
SELDOM = -3.0  # logit with which every note sounds in the beginning, one in twenty


@keras.saving.register_keras_serializable(package="music_composer")
class Biaxial(LikelihoodModel):
    """Log likelihoods of the notes of each step, given all steps before: exact, note by note from the lowest up.

    Input: bits (batch, steps, notes, 2), what sounds and what is struck; heard (batch, steps, fades, 12), how much of
    each pitch class was heard before each step; clock (batch, steps, clock); weight (batch, steps), 1 for steps that
    count. Output: natural log likelihood of each step, (batch, steps).
    """

    RECORD = BiaxialOptions

    def __init__(self, options: BiaxialOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        lstm = functools.partial(keras.layers.LSTM, return_sequences=True)
        self.time = [lstm(options.neurons, name=f"time_{i}") for i in range(options.layers)]
        self.notes = [lstm(size, name=f"notes_{i}") for i, size in enumerate(options.note_neurons)]
        # Few notes sound: to learn that first would take a hundred updates.
        rarely = keras.initializers.Constant(np.array([SELDOM, 0.0], np.float32))
        self.outlet = keras.layers.Dense(BITS, bias_initializer=rarely)

    def build(self, shape: Any = None) -> None:
        options = self.options
        self.starts = []
        told_of_time, told_of_notes = features_of(options), options.neurons + BEFORE + ALREADY
        for kind, lstms, told in (("time", self.time, told_of_time), ("notes", self.notes, told_of_notes)):
            for i, lstm in enumerate(lstms):
                lstm.build((None, None, told))
                told = lstm.units
                names = [f"{kind}_{i}_{part}" for part in ("h", "c")]
                self.starts.append([self.add_weight((told,), "zeros", name=name) for name in names])
        self.outlet.build((None, None, told))
        self.built = True

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        *pieces, weight = inputs
        bits, heard, clock = (ops.swapaxes(each, 0, 1) for each in pieces)  # layers go along the first axis
        steps, batch, notes = ops.shape(bits)[0], ops.shape(bits)[1], self.options.notes
        last = ops.concatenate([ops.zeros_like(bits[:1]), bits[:-1]], axis=0)
        kept = self.dropped(ops.ones_like(last[..., :1]), training, self.options.forget)
        last = ops.where(kept > 0, last, 0.0)
        x = features(last, heard, clock, self.options.lowest)
        x = ops.reshape(x, (steps, batch * notes, x.shape[-1]))
        x = self._along(x, self.time, self.starts[: len(self.time)], training)
        x = ops.reshape(x, (steps, batch, notes, self.options.neurons))
        # What each note did in the step before is told again: it would get lost on its way through two layers.
        x = ops.concatenate([x, before(last), already(bits)], axis=-1)
        x = ops.reshape(ops.transpose(x, (2, 0, 1, 3)), (notes, steps * batch, x.shape[-1]))
        x = self._along(x, self.notes, self.starts[len(self.time) :], training)
        weights = ops.transpose(ops.reshape(self.outlet(x), (notes, steps, batch, BITS)), (1, 2, 0, 3))
        likely = -ops.softplus(ops.where(bits > 0, -weights, weights))
        likelihood = ops.sum(likely[..., 0], axis=-1)
        if self.options.articulation:
            # Only of what sounded before and sounds on it is open whether it is struck.
            likelihood += ops.sum(likely[..., 1] * bits[..., 0] * last[..., 0], axis=-1)
        return ops.swapaxes(likelihood, 0, 1) * weight

    def _along(self, x: Tensor, lstms: list[Any], starts: list[list[Tensor]], training: bool) -> Tensor:
        """x: (time, rows, features) -> (time, rows, units of the last layer), float32."""
        for lstm, start in zip(lstms, starts, strict=True):
            rows = ops.shape(x)[1]
            x = lstm_along(lstm, x, [ops.tile(each[None], (rows, 1)) for each in start], training)
            x = self.dropped(x, training)
        return ops.cast(x, "float32")

    def time_state(self, rows: int) -> list[np.ndarray]:
        """h and c of each layer along time before anything was heard, (rows, neurons) each."""
        starts = [each for start in self.starts[: len(self.time)] for each in start]
        return [np.tile(ops.convert_to_numpy(each)[None], (rows, 1)) for each in starts]
