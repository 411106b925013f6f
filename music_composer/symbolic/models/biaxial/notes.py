"""Piano rolls as two bits for each note of a range, and back."""

from __future__ import annotations

import numpy as np

from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import DEFAULT_VELOCITY
from music_composer.values import OCTAVE, PITCHES, Roll

BITS = 2  # of a note: active, and onset


def to_bits(roll: Roll, options: BiaxialOptions) -> np.ndarray:
    """The bits of a roll, bool (steps, notes, 2).

    Notes outside the range are moved into it by octaves. An active note that was silent before has an onset.
    """
    active, onset = (_folded(array, options) for array in (roll.active, roll.onset))
    before = np.concatenate([np.zeros_like(active[:1]), active[:-1]])
    return np.stack([active, active & (onset | ~before)], axis=-1)


def to_roll(bits: np.ndarray, options: BiaxialOptions, like: Roll) -> Roll:
    """The inverse, in the tempos and metres of another roll. All notes get the same velocity."""
    active, onset = np.zeros((2, len(bits), PITCHES), bool)
    within = slice(options.lowest, options.lowest + options.notes)
    active[:, within], onset[:, within] = bits[..., 0], bits[..., 1]
    velocity = np.where(active, DEFAULT_VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, onset & active, like.per_quarter, like.tempos, like.metres)


def _folded(by_pitch: np.ndarray, options: BiaxialOptions) -> np.ndarray:
    """bool (steps, 128) -> (steps, notes)"""
    folded = np.zeros((len(by_pitch), options.notes), bool)
    for pitch in np.flatnonzero(by_pitch.any(axis=0)):
        note = int(pitch) - options.lowest
        note += -(note // OCTAVE) * OCTAVE if note < 0 else 0
        note -= max(0, -(-(note - options.notes + 1) // OCTAVE)) * OCTAVE
        folded[:, note] |= by_pitch[:, pitch]
    return folded
