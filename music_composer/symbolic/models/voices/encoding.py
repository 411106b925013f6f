"""Piano rolls to what the voices model learns from, and what it plays to piano rolls."""

from __future__ import annotations

import numpy as np

from music_composer.symbolic.models.voices.batches import Piece
from music_composer.symbolic.models.voices.chords import to_sounding
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import PITCHES, bar_clock
from music_composer.values import Roll

LOWEST = 21  # MIDI pitch of the first key of a piano, A0
OCTAVE = 12
LOUDEST = 128  # one more than the greatest velocity


def to_piece(roll: Roll, options: VoicesOptions) -> Piece:
    """A roll on the keys of the model. What lies beyond them is moved by octaves, chords of too many are thinned."""
    velocity, struck = fold(roll.velocity, options.pitches), fold(roll.struck, options.pitches)
    sounding = thinned(velocity > 0, options.most)
    return Piece(sounding, bar_clock(roll), struck, 1 + velocity.astype(np.int64) * options.loudness // LOUDEST)


def to_roll(chords: np.ndarray, manners: np.ndarray, options: VoicesOptions, like: Roll) -> Roll:
    """The inverse: notes by rank, (steps, most) each, to a roll in the metre and tempo of another."""
    shape = len(chords), PITCHES
    sounding = np.zeros(shape, bool)
    sounding[:, LOWEST : LOWEST + options.pitches] = to_sounding(chords, options.pitches)
    level = np.zeros(shape, np.int64)
    step, rank = np.nonzero(chords < options.pitches)
    level[step, chords[step, rank] + LOWEST] = manners[step, rank]
    struck = level > 0
    velocity = np.where(struck, velocity_of(level, options), 0).astype(np.uint8)
    for now in range(1, len(chords)):  # what is held on keeps its loudness
        held = sounding[now] & ~struck[now]
        velocity[now, held] = velocity[now - 1, held]
    return Roll(velocity, struck & sounding, like.per_quarter, like.tempos, like.metres)


def velocity_of(level: np.ndarray, options: VoicesOptions) -> np.ndarray:
    """MIDI velocity in the middle of a level, which is 1 at least."""
    return np.maximum(1, (2 * level - 1) * LOUDEST // (2 * max(1, options.loudness)))


def fold(notes: np.ndarray, pitches: int) -> np.ndarray:
    """(steps, 128) -> (steps, pitches) from LOWEST on; what lies beyond is moved by octaves, the greater value kept."""
    folded = np.zeros((len(notes), pitches), notes.dtype)
    for pitch in np.flatnonzero(notes.any(axis=0)):
        key = int(pitch) - LOWEST
        while key < 0:
            key += OCTAVE
        while key >= pitches:
            key -= OCTAVE
        folded[:, key] = np.maximum(folded[:, key], notes[:, pitch])
    return folded


def thinned(sounding: np.ndarray, most: int) -> np.ndarray:
    """bool (steps, pitches) with `most` notes in a step at most: of more, the outer ones and some evenly between."""
    kept = sounding.copy()
    for step in np.flatnonzero(sounding.sum(axis=1) > most):
        notes = np.flatnonzero(sounding[step])
        kept[step] = False
        kept[step, notes[np.linspace(0, len(notes) - 1, most).round().astype(int)]] = True
    return kept
