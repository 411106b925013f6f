"""Piano rolls as two bits for each note of a range, and back."""

from __future__ import annotations

import numpy as np

from music_composer.symbolic.constraints import VELOCITY
from music_composer.symbolic.key_history import OCTAVE
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import PITCHES
from music_composer.values import Roll

BITS = 2  # of a note: whether it sounds, and whether it was struck


def to_bits(roll: Roll, options: BiaxialOptions) -> np.ndarray:
    """bool (steps, notes, 2). What lies beyond the range is moved by octaves; what begins to sound is struck."""
    sounding, struck = (_folded(each, options) for each in (roll.sounding, roll.struck))
    before = np.concatenate([np.zeros_like(sounding[:1]), sounding[:-1]])
    return np.stack([sounding, sounding & (struck | ~before)], axis=-1)


def to_roll(bits: np.ndarray, options: BiaxialOptions, like: Roll) -> Roll:
    """The inverse, in the metre and tempo of another roll."""
    sounding, struck = np.zeros((2, len(bits), PITCHES), bool)
    within = slice(options.lowest, options.lowest + options.notes)
    sounding[:, within], struck[:, within] = bits[..., 0], bits[..., 1]
    velocity = np.where(sounding, VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, struck & sounding, like.per_quarter, like.tempos, like.metres)


def _folded(each: np.ndarray, options: BiaxialOptions) -> np.ndarray:
    folded = np.zeros((len(each), options.notes), bool)
    for pitch in np.flatnonzero(each.any(axis=0)):
        note = int(pitch) - options.lowest
        note += -(note // OCTAVE) * OCTAVE if note < 0 else 0
        note -= max(0, -(-(note - options.notes + 1) // OCTAVE)) * OCTAVE
        folded[:, note] |= each[:, pitch]
    return folded
