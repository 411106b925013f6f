"""The network of the polyphony model: an LSTM over events (Magenta's polyphony_rnn, 2016).

Each event is predicted from all events before it, the position in the bar, the notes of the step before, and the key
history. Events that no piece can contain have no probability: a continued note was active in the step before, and the
notes of a step come from the top down. The logit of a note is a term for the note itself and one for its pitch class
relative to the key history.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from music_composer.layers.key_relative import Tonality, over_pitches
from music_composer.layers.lstm import HoistedLSTM, stack_step
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.models.polyphony.events import END, EVENTS, NEW, START, STEP_END
from music_composer.symbolic.models.sampling import NEVER
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.values import PITCHES

Tensor = Any
LayerStates = tuple[Tensor, ...]  # h and c of each layer in turn, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Polyphony(LikelihoodModel):
    """Log likelihoods of events, each given all events before it.

    Input shape: previous int (batch, events), the event before each target; target int (batch, events); active_before
    (batch, events, 128), the notes of the step before the target's; key_history (batch, events, channels, 12), before
    the target's step; clock (batch, events, clock), of the target's step; mask (batch, events), 1 for events that
    count.
    Output shape: (batch, events), natural log likelihood of each target. The loss is nats an event.
    """

    RECORD = PolyphonyOptions

    # Attribute names are paths in weights files: they stay.
    def __init__(self, options: PolyphonyOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        self.event = keras.layers.Embedding(EVENTS, options.embedding)
        self.inlet = keras.layers.Dense(options.embedding)  # of the notes before, and the clock
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(EVENTS)
        self.tonality = Tonality(options.tonal, kinds=2)  # of new notes and of continued ones

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        previous, target, active_before, key_history, clock, mask = inputs
        x = self.lstm_input(previous, active_before, clock)
        for i, lstm in enumerate(self.lstms):
            y = lstm(x, training=training)
            y = self.dropped(y, training)
            x = y if i == 0 else x + y  # residual; x: (batch, events, neurons)
        log_probs = self.log_probs(x, previous, active_before, self.tonality.features(key_history))
        return ops.take_along_axis(log_probs, target[..., None], axis=-1)[..., 0] * mask

    def lstm_input(self, previous: Tensor, active_before: Tensor, clock: Tensor) -> Tensor:
        """The input of the first LSTM layer, (..., embedding)."""
        return self.event(previous) + self.inlet(ops.concatenate([active_before, clock], axis=-1))

    def step(
        self, previous: Tensor, active_before: Tensor, key_features: Tensor, clock: Tensor, layers: LayerStates
    ) -> tuple[Tensor, LayerStates]:
        """Advances by one event: log probabilities of the next event, (batch, EVENTS), and the layers' states."""
        x = self.lstm_input(previous, active_before, clock)
        x, after = stack_step(self.lstms, x, layers)
        return self.log_probs(x, previous, active_before, key_features), tuple(after)

    def log_probs(self, hidden: Tensor, previous: Tensor, active_before: Tensor, key_features: Tensor) -> Tensor:
        """Log probabilities of all events, (..., EVENTS). key_features: (..., 12, tonal), from `Tonality.features`."""
        # Notes come from the top down: what follows a note of the same step lies below it.
        lowest = ops.where(previous >= NEW, (previous - NEW) % PITCHES, PITCHES)
        below = ops.arange(PITCHES) < lowest[..., None]
        between_steps = (previous == START) | (previous == STEP_END)
        never, always = ops.zeros_like(below[..., :1]), ops.ones_like(below[..., :1])
        special = {START: never, END: between_steps[..., None], STEP_END: always}
        possible = ops.concatenate(
            [*(special[event] for event in range(NEW)), below, below & (active_before > 0)], axis=-1
        )  # (..., EVENTS)
        by_note = over_pitches(self.tonality(hidden, key_features), PITCHES)  # (..., 2, 128): new, continued
        by_note = ops.reshape(by_note, (*ops.shape(by_note)[:-2], 2 * PITCHES))
        # START, END and STEP_END have no pitch class.
        logits = self.outlet(hidden) + ops.concatenate([ops.zeros_like(by_note[..., :NEW]), by_note], axis=-1)
        return ops.log_softmax(ops.where(possible, logits, NEVER), axis=-1)
