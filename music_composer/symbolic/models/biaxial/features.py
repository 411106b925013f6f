"""The input features of each note of the biaxial model.

They are those of biaxial-rnn-music-composition (D. Johnson 2015), with two faults corrected: the neighbours of the
lowest notes are silence instead of the highest notes, and the beat is that of the music's own metre. The key history is
new: the original saw only the step before and had to infer the key.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from music_composer.layers.key_relative import key_relative_shares
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import CLOCK
from music_composer.values import OCTAVE

Tensor = Any
LOWER_FEATURES = BITS + 1  # of the lower notes of a step: bits of the next lower one, and a count
BEFORE_FEATURES = BITS + 2  # of the step before: the note's bits, a count below it, and a count of all
COUNT_SCALE = 4  # notes, so that counts are about 1
ORIGINAL_FEATURES = 1 + OCTAVE + BITS * (2 * OCTAVE + 1) + OCTAVE + CLOCK


def features_of(options: BiaxialOptions) -> int:
    """The number of features of each note."""
    return ORIGINAL_FEATURES + OCTAVE * len(options.half_lives)


def features(bits: Tensor, key_history: Tensor, clock: Tensor, lowest: int) -> Tensor:
    """The features of each note for the layers along time.

    Input shape: bits (batch, steps, notes, 2), of the step before; key_history (batch, steps, channels, 12), where
    class 0 is that of the lowest note; clock (batch, steps, clock), of the step itself.
    Output shape: (batch, steps, notes, features): position in the range, pitch class, bits of the notes within an
    octave, active notes of each pitch class from the note's own upward, clock, and the key-relative shares.

    lowest: MIDI pitch of the first note.
    """
    notes = bits.shape[2]
    pitch = np.arange(lowest, lowest + notes)
    ones = ops.ones_like(bits[..., :1])
    position = ones * np.linspace(-1, 1, notes, dtype=np.float32)[:, None]
    own_class = ones * np.eye(OCTAVE, dtype=np.float32)[pitch % OCTAVE]
    # Beyond the ends of the range is silence.
    padded = ops.pad(bits, ((0, 0), (0, 0), (OCTAVE, OCTAVE), (0, 0)))
    neighbours = [padded[:, :, i : i + notes] for i in range(2 * OCTAVE + 1)]
    # Active notes of the class that lies k above each note's own: a product with a constant matrix.
    interval = (pitch[:, None] - pitch[None, :]) % OCTAVE
    counts = (interval[:, :, None] == np.arange(OCTAVE)).astype(np.float32).reshape(notes, notes * OCTAVE)
    by_class = ops.reshape(ops.matmul(bits[..., 0], counts), (*ops.shape(bits)[:2], notes, OCTAVE))
    time = ones * clock[:, :, None]
    # Class 0 of the history is that of the lowest note: note n is of class n % 12.
    key_features = ops.take(key_relative_shares(key_history), np.arange(notes) % OCTAVE, axis=2)
    return ops.concatenate([position, own_class, *neighbours, by_class, time, key_features], axis=-1)


def lower_features(bits: Tensor) -> Tensor:
    """Features of the lower notes of the same step: bits (..., notes, 2) -> (..., notes, LOWER_FEATURES)."""
    lower = ops.concatenate([ops.zeros_like(bits[..., :1, :]), bits[..., :-1, :]], axis=-2)
    return ops.concatenate([lower, ops.cumsum(lower[..., :1], axis=-2) / COUNT_SCALE], axis=-1)


def before_features(bits: Tensor) -> Tensor:
    """Features of the step before for the layers along the notes: bits (..., notes, 2) -> (..., notes,
    BEFORE_FEATURES).
    """
    counts = ops.cumsum(bits[..., :1], axis=-2) / COUNT_SCALE
    below = counts - bits[..., :1] / COUNT_SCALE
    return ops.concatenate([bits, below, ops.ones_like(counts) * counts[..., -1:, :]], axis=-1)
