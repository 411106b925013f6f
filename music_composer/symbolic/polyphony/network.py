"""The polyphony model: an LSTM over events (Magenta's polyphony_rnn, 2016), told where it is and what sounded.

What no piece can hold has no probability: a note that is continued sounded in the step before, and the notes of a step
come from the top down.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import HoistedLSTM, lstm_step
from music_composer.options import from_plain
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.polyphony.events import END, EVENTS, NEW, PITCHES, START, STEP_END
from music_composer.symbolic.sampling import NEVER

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Polyphony(keras.Model):
    """Log likelihoods of events, each given all before it.

    Input: told int (batch, events), the event before each; target int, the same shape; sounded (batch, events, 128),
    what sounds in the step before that of the target; clock (batch, events, clock), of the target's step; weight
    (batch, events), 1 for events that count. Output: natural log likelihood of each target, (batch, events). The loss
    is nats an event that counts.
    """

    def __init__(self, options: PolyphonyOptions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options = options
        self.event = keras.layers.Embedding(EVENTS, options.embedding)
        self.inlet = keras.layers.Dense(options.embedding)  # of what sounded, and the clock
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(EVENTS)
        # All randomness of training; the loop sets it before each step, so that any step can be replayed.
        self.noise_seed = keras.random.SeedGenerator(0)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        told, target, sounded, clock, weight = inputs
        x = self.heard(told, sounded, clock)
        for i, lstm in enumerate(self.lstms):
            y = lstm(x, training=training)
            if training and self.options.dropout:
                y = keras.random.dropout(y, self.options.dropout, seed=self.noise_seed)
            x = y if i == 0 else x + y
        weighed = self.weighed(x, told, sounded)
        return ops.take_along_axis(weighed, target[..., None], axis=-1)[..., 0] * weight

    def heard(self, told: Tensor, sounded: Tensor, clock: Tensor) -> Tensor:
        """(..., embedding)"""
        return self.event(told) + self.inlet(ops.concatenate([sounded, clock], axis=-1))

    def listen_step(self, told: Tensor, sounded: Tensor, clock: Tensor, state: State) -> tuple[Tensor, State]:
        """One event later: log probabilities (batch, events) of what may come next, and the state."""
        x = self.heard(told, sounded, clock)
        after: State = []
        for i, lstm in enumerate(self.lstms):
            h, c = lstm_step(lstm, x, state[2 * i], state[2 * i + 1])
            after += [h, c]
            x = h if i == 0 else x + h
        return self.weighed(x, told, sounded), after

    def weighed(self, hidden: Tensor, told: Tensor, sounded: Tensor) -> Tensor:
        """Log probabilities of all events, (..., EVENTS)."""
        within = ops.where(told >= NEW, (told - NEW) % PITCHES, PITCHES)  # notes below the last one of the step
        below = ops.arange(PITCHES) < within[..., None]
        between = (told == START) | (told == STEP_END)
        never, always = ops.zeros_like(below[..., :1]), ops.ones_like(below[..., :1])
        special = {START: never, END: between[..., None], STEP_END: always}
        possible = ops.concatenate([*(special[event] for event in range(NEW)), below, below & (sounded > 0)], axis=-1)
        return ops.log_softmax(ops.where(possible, self.outlet(hidden), NEVER), axis=-1)

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Of training: nothing is carried from batch to batch."""
        return []

    def silent_state(self, batch: int) -> list[np.ndarray]:
        return [np.zeros((batch, self.options.neurons), np.float32) for _ in range(2 * self.options.layers)]

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        return -ops.sum(y_pred) / ops.maximum(ops.sum(x[-1]), 1.0)

    def compute_metrics(self, x: Tensor, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> dict[str, Tensor]:
        return {"loss": self.compute_loss(x, y_pred=y_pred)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "options": dataclasses.asdict(self.options)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Polyphony:
        return cls(**{**config, "options": from_plain(PolyphonyOptions, config["options"])})
