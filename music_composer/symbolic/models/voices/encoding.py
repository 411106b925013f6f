"""Piano rolls as pieces of the voices model, and its notes as piano rolls."""

from __future__ import annotations

import numpy as np

from music_composer.symbolic.models.voices.batches import Piece
from music_composer.symbolic.models.voices.chords import to_active
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import PIANO_LOWEST, bar_clock
from music_composer.values import OCTAVE, PITCHES, Roll

VELOCITIES = 128  # one more than the greatest velocity


def to_piece(roll: Roll, options: VoicesOptions) -> Piece:
    """A roll on the keys of the model. Notes beyond them are moved by octaves, chords of too many notes are thinned."""
    velocity, onset = fold(roll.velocity, options.pitches), fold(roll.onset, options.pitches)
    # Thinned after folding: notes that fold onto one key count once.
    active = thinned(velocity > 0, options.most)
    return Piece(active, bar_clock(roll), onset, 1 + velocity.astype(np.int64) * options.loudness // VELOCITIES)


def to_roll(chords: np.ndarray, articulations: np.ndarray, options: VoicesOptions, like: Roll) -> Roll:
    """Notes by rank, int (steps, max_notes) each, as a roll in the tempos and metres of another."""
    shape = len(chords), PITCHES
    active = np.zeros(shape, bool)
    active[:, PIANO_LOWEST : PIANO_LOWEST + options.pitches] = to_active(chords, options.pitches)
    level = np.zeros(shape, np.int64)
    step, rank = np.nonzero(chords < options.pitches)
    level[step, chords[step, rank] + PIANO_LOWEST] = articulations[step, rank]
    onset = level > 0
    velocity = np.where(onset, velocity_of(level, options), 0).astype(np.uint8)
    for i in range(1, len(chords)):  # a held note keeps its velocity
        held = active[i] & ~onset[i]
        velocity[i, held] = velocity[i - 1, held]
    return Roll(velocity, onset & active, like.per_quarter, like.tempos, like.metres)


def velocity_of(level: np.ndarray, options: VoicesOptions) -> np.ndarray:
    """The MIDI velocity in the middle of a loudness level, at least 1."""
    return np.maximum(1, (2 * level - 1) * VELOCITIES // (2 * max(1, options.loudness)))


def fold(by_pitch: np.ndarray, pitches: int) -> np.ndarray:
    """(steps, 128) -> (steps, pitches), from A0 on. Pitches beyond are moved by octaves; the greater value is kept."""
    folded = np.zeros((len(by_pitch), pitches), by_pitch.dtype)
    for pitch in np.flatnonzero(by_pitch.any(axis=0)):
        key = int(pitch) - PIANO_LOWEST
        while key < 0:
            key += OCTAVE
        while key >= pitches:
            key -= OCTAVE
        folded[:, key] = np.maximum(folded[:, key], by_pitch[:, pitch])
    return folded


def thinned(active: np.ndarray, max_notes: int) -> np.ndarray:
    """bool (steps, pitches) with at most `max_notes` notes in a step: the outer ones, and others evenly between."""
    kept = active.copy()
    for step in np.flatnonzero(active.sum(axis=1) > max_notes):
        notes = np.flatnonzero(active[step])
        kept[step] = False
        kept[step, notes[np.linspace(0, len(notes) - 1, max_notes).round().astype(int)]] = True
    return kept
