"""The network of the piano-roll model: an LSTM over steps that predicts the next word (after Bach-Music-Generator-RNN
by A. Lem).

Unlike that model it sees the notes of the step before instead of the index of a word, so that it can continue from
chords that are not in its vocabulary. The logit of a word is a term for the word and a sum of terms for its keys. The
terms of keys depend on the pitch class relative to the key history, and are shared by all words. A word that holds a
note which was not active has no probability.
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
from music_composer.values import PITCHES

Tensor = Any
LayerStates = tuple[Tensor, ...]  # h and c of each layer in turn, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Pianoroll(LikelihoodModel):
    """Log likelihoods of words, each given all words before it.

    Input shape: keys_before (batch, steps, KEYS), of the step before each; word int (batch, steps); key_history (batch,
    steps, channels, 12), before each step; clock (batch, steps, clock); mask (batch, steps), 1 for steps that count.
    Output shape: (batch, steps), natural log likelihood of each word. The loss is nats a step.
    """

    RECORD = PianorollOptions

    # Attribute names are paths in weights files: they stay.
    def __init__(self, options: PianorollOptions, **kwargs: Any) -> None:
        super().__init__(options, **kwargs)
        self.inlet = keras.layers.Dense(options.neurons)
        self.lstms = [
            HoistedLSTM(options.neurons, return_sequences=True, name=f"lstm_{i}") for i in range(options.layers)
        ]
        self.outlet = keras.layers.Dense(len(options.words) + 1)  # the last is the unknown word
        self.by_key = keras.layers.Dense(KEYS)
        self.tonality = Tonality(options.tonal, kinds=2)  # of onsets and of held notes
        self.table = table_of([*options.words, ()]).astype(np.float32)

    def call(self, inputs: list[Tensor], training: bool = False) -> Tensor:
        keys_before, word, key_history, clock, mask = inputs
        x = self.dropped(self.inlet(ops.concatenate([keys_before, clock], axis=-1)), training)
        for i, lstm in enumerate(self.lstms):
            y = self.dropped(lstm(x, training=training), training)
            x = y if i == 0 else x + y  # residual; x: (batch, steps, neurons)
        log_probs = self.log_probs(x, keys_before, key_history)
        return ops.take_along_axis(log_probs, word[..., None], axis=-1)[..., 0] * mask

    def step(
        self, keys_before: Tensor, key_history: Tensor, clock: Tensor, layers: LayerStates
    ) -> tuple[Tensor, LayerStates]:
        """Advances by one step: log probabilities of the next word, (batch, words + 1), and the layers' states."""
        x = self.inlet(ops.concatenate([keys_before, clock], axis=-1))
        x, after = stack_step(self.lstms, x, layers)
        return self.log_probs(x, keys_before, key_history), tuple(after)

    def log_probs(self, hidden: Tensor, keys_before: Tensor, key_history: Tensor) -> Tensor:
        """Log probabilities of all words, (..., words + 1)."""
        by_degree = over_pitches(self.tonality(hidden, self.tonality.features(key_history)), PITCHES)
        by_degree = ops.reshape(by_degree, (*ops.shape(by_degree)[:-2], KEYS))
        # The table sums the terms of the keys of each word.
        logits = self.outlet(hidden) + ops.matmul(self.by_key(hidden) + by_degree, self.table.T)
        silent_before = 1 - keys_before[..., :PITCHES] - keys_before[..., PITCHES:]
        # The product counts, for each word, the held notes that have nothing to hold.
        possible = ops.matmul(silent_before, self.table[:, PITCHES:].T) < 0.5
        return ops.log_softmax(ops.where(possible, logits, NEVER), axis=-1)
