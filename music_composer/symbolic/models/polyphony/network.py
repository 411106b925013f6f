"""The polyphony model: an LSTM over events (Magenta's polyphony_rnn, 2016), told where it is and what sounded.

What no piece can hold has no probability: a note that is continued sounded in the step before, and the notes of a step
come from the top down. A note is weighed by what it is and by what its pitch class is in what was heard lately.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from music_composer.layers.key_relative import Tonality, over_pitches
from music_composer.layers.lstm import HoistedLSTM, stack_step
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.models.polyphony.events import END, EVENTS, NEW, PITCHES, START, STEP_END
from music_composer.symbolic.models.sampling import NEVER
from music_composer.symbolic.options import PolyphonyOptions

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Polyphony(LikelihoodModel):
    """Log likelihoods of events, each given all before it.

    Input: told int (batch, events), the event before each; target int, the same shape; sounded (batch, events, 128),
    what sounds in the step before that of the target; heard (batch, events, fades, 12), how much of each pitch class
    was heard before that; clock (batch, events, clock), of the target's step; weight (batch, events), 1 for events that
    count. Output: natural log likelihood of each target, (batch, events). The loss
    is nats an event that counts.
    """

    RECORD = PolyphonyOptions

    def __init__(self, options: PolyphonyOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        self.event = keras.layers.Embedding(EVENTS, options.embedding)
        self.inlet = keras.layers.Dense(options.embedding)  # of what sounded, and the clock
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(EVENTS)
        self.tonality = Tonality(options.tonal, kinds=2)  # of new notes and of continued ones

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        told, target, sounded, heard, clock, weight = inputs
        x = self.received(told, sounded, clock)
        for i, lstm in enumerate(self.lstms):
            y = lstm(x, training=training)
            y = self.dropped(y, training)
            x = y if i == 0 else x + y
        weighed = self.weighed(x, told, sounded, self.tonality.known(heard))
        return ops.take_along_axis(weighed, target[..., None], axis=-1)[..., 0] * weight

    def received(self, told: Tensor, sounded: Tensor, clock: Tensor) -> Tensor:
        """(..., embedding)"""
        return self.event(told) + self.inlet(ops.concatenate([sounded, clock], axis=-1))

    def listen_step(
        self, told: Tensor, sounded: Tensor, degrees: Tensor, clock: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """One event later: log probabilities (batch, events) of what may come next, and the state."""
        x = self.received(told, sounded, clock)
        x, after = stack_step(self.lstms, x, state)
        return self.weighed(x, told, sounded, degrees), after

    def weighed(self, hidden: Tensor, told: Tensor, sounded: Tensor, degrees: Tensor) -> Tensor:
        """Log probabilities of all events, (..., EVENTS). degrees: as `tonality.known` gives them, (..., 12, tonal)."""
        within = ops.where(told >= NEW, (told - NEW) % PITCHES, PITCHES)  # notes below the last one of the step
        below = ops.arange(PITCHES) < within[..., None]
        between = (told == START) | (told == STEP_END)
        never, always = ops.zeros_like(below[..., :1]), ops.ones_like(below[..., :1])
        special = {START: never, END: between[..., None], STEP_END: always}
        possible = ops.concatenate([*(special[event] for event in range(NEW)), below, below & (sounded > 0)], axis=-1)
        by_note = over_pitches(self.tonality(hidden, degrees), PITCHES)
        by_note = ops.reshape(by_note, (*ops.shape(by_note)[:-2], 2 * PITCHES))
        weight = self.outlet(hidden) + ops.concatenate([ops.zeros_like(by_note[..., :NEW]), by_note], axis=-1)
        return ops.log_softmax(ops.where(possible, weight, NEVER), axis=-1)
