"""The network of the biaxial model: LSTMs along time, then LSTMs along the notes (Johnson 2015 and 2017).

Every note runs through the same layers along time and sees what lies around it, so that the network is the same at
every pitch. The layers along the notes go from the lowest note to the highest and see the notes below in the same step.
"""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import lstm_along
from music_composer.symbolic.models.biaxial.features import (
    BEFORE_FEATURES,
    LOWER_FEATURES,
    before_features,
    features,
    features_of,
    lower_features,
)
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.options import BiaxialOptions

Tensor = Any
INITIAL_LOGIT = -3.0  # of every note: one in twenty is active before training


@keras.saving.register_keras_serializable(package="music_composer")
class Biaxial(LikelihoodModel):
    """Log likelihoods of the notes of each step, given all steps before, note by note from the lowest up.

    Input shape: bits (batch, steps, notes, 2), active notes and onsets; key_history (batch, steps, channels, 12),
    before each step; clock (batch, steps, clock); mask (batch, steps), 1 for steps that count.
    Output shape: (batch, steps), natural log likelihood of each step. The loss is nats a step.
    """

    RECORD = BiaxialOptions

    # Attribute names are paths in weights files: they stay.
    def __init__(self, options: BiaxialOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        lstm = functools.partial(keras.layers.LSTM, return_sequences=True)
        self.time = [lstm(options.neurons, name=f"time_{i}") for i in range(options.layers)]
        self.notes = [lstm(size, name=f"notes_{i}") for i, size in enumerate(options.note_neurons)]
        # Few notes are active: to learn that first would take a hundred updates.
        rare = keras.initializers.Constant(np.array([INITIAL_LOGIT, 0.0], np.float32))
        self.outlet = keras.layers.Dense(BITS, bias_initializer=rare)

    def build(self, shape: Any = None) -> None:
        """Builds the layers, and the learnt initial states h and c of each LSTM layer."""
        options = self.options
        self.starts = []
        time_width, note_width = features_of(options), options.neurons + BEFORE_FEATURES + LOWER_FEATURES
        for kind, lstms, width in (("time", self.time, time_width), ("notes", self.notes, note_width)):
            for i, lstm in enumerate(lstms):
                lstm.build((None, None, width))
                width = lstm.units
                names = [f"{kind}_{i}_{part}" for part in ("h", "c")]
                self.starts.append([self.add_weight((width,), "zeros", name=name) for name in names])
        self.outlet.build((None, None, width))
        self.built = True

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        *music, mask = inputs
        bits, key_history, clock = (ops.swapaxes(array, 0, 1) for array in music)  # layers run along the first axis
        steps, batch, notes = ops.shape(bits)[0], ops.shape(bits)[1], self.options.notes
        before = ops.concatenate([ops.zeros_like(bits[:1]), bits[:-1]], axis=0)
        # Hidden notes are missing in the past, not in the targets: the network learns to start them again.
        kept = self.dropped(ops.ones_like(before[..., :1]), training, self.options.forget)
        before = ops.where(kept > 0, before, 0.0)
        x = features(before, key_history, clock, self.options.lowest)
        # Along time, every note of every piece is a row.
        x = ops.reshape(x, (steps, batch * notes, x.shape[-1]))
        x = self._along(x, self.time, self.starts[: len(self.time)], training)
        x = ops.reshape(x, (steps, batch, notes, self.options.neurons))
        # The bits of the step before enter again: they would get lost on their way through the layers along time.
        x = ops.concatenate([x, before_features(before), lower_features(bits)], axis=-1)
        # Along the notes, every step of every piece is a row.
        x = ops.reshape(ops.transpose(x, (2, 0, 1, 3)), (notes, steps * batch, x.shape[-1]))
        x = self._along(x, self.notes, self.starts[len(self.time) :], training)
        logits = ops.transpose(ops.reshape(self.outlet(x), (notes, steps, batch, BITS)), (1, 2, 0, 3))
        log_probs = -ops.softplus(ops.where(bits > 0, -logits, logits))  # (steps, batch, notes, BITS)
        likelihood = ops.sum(log_probs[..., 0], axis=-1)
        if self.options.articulation:
            # Only a note that was active and stays active can be held or begin again; all others are certain.
            likelihood += ops.sum(log_probs[..., 1] * bits[..., 0] * before[..., 0], axis=-1)
        return ops.swapaxes(likelihood, 0, 1) * mask

    def _along(self, x: Tensor, lstms: list[Any], starts: list[list[Tensor]], training: bool) -> Tensor:
        """Runs layers along the first axis: (time, rows, features) -> (time, rows, units of the last), float32."""
        for lstm, start in zip(lstms, starts, strict=True):
            rows = ops.shape(x)[1]
            x = lstm_along(lstm, x, [ops.tile(part[None], (rows, 1)) for part in start], training)
            x = self.dropped(x, training)
        return ops.cast(x, "float32")

    def time_state(self, rows: int) -> list[np.ndarray]:
        """h and c of each layer along time before the first step, (rows, neurons) each."""
        starts = [part for start in self.starts[: len(self.time)] for part in start]
        return [np.tile(ops.convert_to_numpy(part)[None], (rows, 1)) for part in starts]
