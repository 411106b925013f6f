"""What each note of the biaxial model is told of the step before it.

The features are those of biaxial-rnn-music-composition (D. Johnson 2015) with its faults mended: the surroundings of
the lowest notes are silence and not the highest notes, and the beat is that of the music's own metre. Beyond them each
note is told what was heard lately: the seed's knew of the step before alone, and had to find the key by themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from music_composer.layers.key_relative import OCTAVE, degrees
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import CLOCK

Tensor = Any
ALREADY = BITS + 1  # what a note is told of those below it in its step: bits of the next one, how many sound
BEFORE = BITS + 2  # and of the step before: its own bits, how many sounded below it, and how many in all
SOME = 4  # notes, which count as 1 where notes are counted
SEED_FEATURES = 1 + OCTAVE + BITS * (2 * OCTAVE + 1) + OCTAVE + CLOCK


def features_of(options: BiaxialOptions) -> int:
    """How many numbers each note is told."""
    return SEED_FEATURES + OCTAVE * len(options.fades)


def features(bits: Tensor, heard: Tensor, clock: Tensor, lowest: int) -> Tensor:
    """What each note is told: bits (batch, steps, notes, 2) of the step before, heard (batch, steps, fades, 12) up to
    it, class 0 being the lowest note's, clock (batch, steps, clock) of its own -> (batch, steps, notes, features).

    Its place in the range, its pitch class, what an octave around it did, how many notes of each pitch class sounded
    (its own first), the time, and which share of what was heard each pitch class had (its own first).
    """
    notes = bits.shape[2]
    pitch = np.arange(lowest, lowest + notes)
    ones = ops.ones_like(bits[..., :1])
    place = ones * np.linspace(-1, 1, notes, dtype=np.float32)[:, None]
    own = ones * np.eye(OCTAVE, dtype=np.float32)[pitch % OCTAVE]
    padded = ops.pad(bits, ((0, 0), (0, 0), (OCTAVE, OCTAVE), (0, 0)))
    around = [padded[:, :, i : i + notes] for i in range(2 * OCTAVE + 1)]
    # How many notes of the class that lies k above each note's own sounded, as a product with a fixed matrix.
    interval = (pitch[:, None] - pitch[None, :]) % OCTAVE
    counts = (interval[:, :, None] == np.arange(OCTAVE)).astype(np.float32).reshape(notes, notes * OCTAVE)
    context = ops.reshape(ops.matmul(bits[..., 0], counts), (*ops.shape(bits)[:2], notes, OCTAVE))
    time = ones * clock[:, :, None]
    lately = ops.take(degrees(heard), np.arange(notes) % OCTAVE, axis=2)
    return ops.concatenate([place, own, *around, context, time, lately], axis=-1)


def already(bits: Tensor) -> Tensor:
    """What each note is told of those below it: bits (..., notes, 2) of its own step -> (..., notes, ALREADY)."""
    below = ops.concatenate([ops.zeros_like(bits[..., :1, :]), bits[..., :-1, :]], axis=-2)
    return ops.concatenate([below, ops.cumsum(below[..., :1], axis=-2) / SOME], axis=-1)


def before(bits: Tensor) -> Tensor:
    """What each note is told, on the way up, of the step before: its bits (..., notes, 2) -> (..., notes, BEFORE)."""
    counts = ops.cumsum(bits[..., :1], axis=-2) / SOME
    return ops.concatenate([bits, counts - bits[..., :1] / SOME, ops.ones_like(counts) * counts[..., -1:, :]], axis=-1)
