"""The piano-roll model: an LSTM over steps whose chords are words (after Bach-Music-Generator-RNN, A. Lem).

Unlike its forebear it hears the notes of the step before and not only which word it was, so that chords that it never
saw can be gone on from; and words that are not in its vocabulary have a probability too.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from music_composer.layers.lstm import HoistedLSTM, stack_step
from music_composer.symbolic.frames import CLOCK
from music_composer.symbolic.likely import LikelihoodModel
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.pianoroll.vocabulary import KEYS

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Pianoroll(LikelihoodModel):
    """Log likelihoods of words, each given all before it.

    Input: heard (batch, steps, KEYS), the step before each; word int (batch, steps); clock (batch, steps, clock); and
    weight (batch, steps), 1 for steps that count. Output: natural log likelihood of each word, (batch, steps).
    """

    RECORD = PianorollOptions

    def __init__(self, options: PianorollOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        self.inlet = keras.layers.Dense(options.neurons)
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(len(options.words) + 1)  # the last: none of them

    def build(self, shape: Any = None) -> None:
        neurons = self.options.neurons
        self.inlet.build((None, None, KEYS + CLOCK))
        for lstm in self.lstms:
            lstm.build((None, None, neurons))
        self.outlet.build((None, None, neurons))
        self.built = True

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        heard, word, clock, weight = inputs
        x = self.dropped(self.inlet(ops.concatenate([heard, clock], axis=-1)), training)
        for i, lstm in enumerate(self.lstms):
            y = self.dropped(lstm(x, training=training), training)
            x = y if i == 0 else x + y
        weighed = ops.log_softmax(self.outlet(x), axis=-1)
        return ops.take_along_axis(weighed, word[..., None], axis=-1)[..., 0] * weight

    def listen_step(self, heard: Tensor, clock: Tensor, state: State) -> tuple[Tensor, State]:
        """One step later: log probabilities (batch, words + 1) of what may come next, and the state."""
        x = self.inlet(ops.concatenate([heard, clock], axis=-1))
        x, after = stack_step(self.lstms, x, state)
        return ops.log_softmax(self.outlet(x), axis=-1), after
