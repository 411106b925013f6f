"""The piano-roll model: an LSTM over steps whose chords are words (after Bach-Music-Generator-RNN, A. Lem).

Unlike its forebear it hears the notes of the step before and not only which word it was, so that chords that it never
saw can be gone on from; and words that are not in its vocabulary have a probability too. A word is weighed by itself
and by each of its notes: what a note is in what was heard lately, and whether it is struck or held on, is learnt for
all words at once. What holds on a note that did not sound has no probability.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.key_relative import Tonality, over_pitches
from music_composer.layers.lstm import HoistedLSTM, stack_step
from music_composer.symbolic.models.likelihood import LikelihoodModel
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS, table_of
from music_composer.symbolic.models.sampling import NEVER
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.roll import PITCHES

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Pianoroll(LikelihoodModel):
    """Log likelihoods of words, each given all before it.

    Input: last (batch, steps, KEYS), the step before each; word int (batch, steps); heard (batch, steps, fades, 12),
    how much of each pitch class was heard before; clock (batch, steps, clock); and weight (batch, steps), 1 for steps
    that count. Output: natural log likelihood of each word, (batch, steps).
    """

    RECORD = PianorollOptions

    def __init__(self, options: PianorollOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        self.inlet = keras.layers.Dense(options.neurons)
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(len(options.words) + 1)  # the last: none of them
        self.by_key = keras.layers.Dense(KEYS)
        self.tonality = Tonality(options.tonal, kinds=2)  # of struck notes and of those that are held on
        self.table = table_of([*options.words, ()]).astype(np.float32)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        last, word, heard, clock, weight = inputs
        x = self.dropped(self.inlet(ops.concatenate([last, clock], axis=-1)), training)
        for i, lstm in enumerate(self.lstms):
            y = self.dropped(lstm(x, training=training), training)
            x = y if i == 0 else x + y
        weighed = self.weighed(x, last, heard)
        return ops.take_along_axis(weighed, word[..., None], axis=-1)[..., 0] * weight

    def listen_step(self, last: Tensor, heard: Tensor, clock: Tensor, state: State) -> tuple[Tensor, State]:
        """One step later: log probabilities (batch, words + 1) of what may come next, and the state."""
        x = self.inlet(ops.concatenate([last, clock], axis=-1))
        x, after = stack_step(self.lstms, x, state)
        return self.weighed(x, last, heard), after

    def weighed(self, hidden: Tensor, last: Tensor, heard: Tensor) -> Tensor:
        """Log probabilities of all words, (..., words + 1)."""
        by_degree = over_pitches(self.tonality(hidden, self.tonality.known(heard)), PITCHES)
        by_degree = ops.reshape(by_degree, (*ops.shape(by_degree)[:-2], KEYS))
        weight = self.outlet(hidden) + ops.matmul(self.by_key(hidden) + by_degree, self.table.T)
        silent = 1 - last[..., :PITCHES] - last[..., PITCHES:]
        possible = ops.matmul(silent, self.table[:, PITCHES:].T) < 0.5
        return ops.log_softmax(ops.where(possible, weight, NEVER), axis=-1)
