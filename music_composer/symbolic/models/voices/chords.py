"""Steps of a piano roll as chords: notes from the bass up, and the voices that lead from one chord to the next."""

from __future__ import annotations

import functools
import itertools

import numpy as np

SILENT = -1  # the pitch of a voice before its first note


def to_chords(active: np.ndarray, max_notes: int) -> np.ndarray:
    """The notes of each step in rising order, int32 (steps, max_notes). Unused places hold the number of pitches.

    active: bool (steps, pitches). Raises ValueError where a step has more than `max_notes` notes.
    """
    steps, pitches = active.shape
    counts = active.sum(axis=1)
    if counts.max(initial=0) > max_notes:
        raise ValueError(f"step {int(counts.argmax())} has {counts.max()} notes; there is room for {max_notes}")
    chords = np.full((steps, max_notes), pitches, np.int32)
    step, pitch = np.nonzero(active)  # sorted by step, then by pitch
    rank = np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
    chords[step, rank] = pitch
    return chords


def to_active(chords: np.ndarray, pitches: int) -> np.ndarray:
    """The inverse, bool (steps, pitches)."""
    active = np.zeros((len(chords), pitches + 1), bool)
    np.put_along_axis(active, chords, True, axis=1)
    return active[:, :pitches]


def lead_voices(chords: np.ndarray, pitches: int, voices: int = 4) -> np.ndarray:
    """The pitch of each voice in each step, from the bass up, int32 (steps, voices); SILENT before the first note.

    chords: from `to_chords`. Where a chord has fewer notes than voices, notes are doubled; where it has more, inner
    notes are left out. Of all ways, the one with the least total motion from the step before is taken. The voices keep
    their pitches through silence. A step never depends on later ones.
    """
    led = np.full((len(chords), voices), SILENT, np.int32)
    counts = (chords < pitches).sum(axis=1)
    current = np.full(voices, SILENT, np.int32)
    for step, (chord, count) in enumerate(zip(chords, counts, strict=True)):
        if count:
            candidates = chord[voicings(int(count), voices)]
            first = current[0] == SILENT
            # argmin takes the first of equals, and the first voicing is the most even one.
            motion = np.zeros(len(candidates)) if first else np.abs(candidates - current).sum(axis=1)
            current = candidates[motion.argmin()]
        led[step] = current
    return led


@functools.cache
def voicings(notes: int, voices: int) -> np.ndarray:
    """All ways to give the notes of a chord to voices, both in rising order: ranks of notes, int (ways, voices).

    The lowest and the highest note are always included; with fewer notes than voices, all are. The most even way comes
    first.
    """
    if notes <= voices:
        starts = itertools.combinations(range(1, voices), notes - 1)  # the voices at which the next note begins
        ways = [np.searchsorted(start, np.arange(voices), side="right") for start in starts]
    else:
        inner = itertools.combinations(range(1, notes - 1), voices - 2)
        ways = [np.array([0, *middle, notes - 1]) for middle in inner]
    even = np.linspace(0, notes - 1, voices)
    return np.array(sorted(ways, key=lambda way: float(np.abs(way - even).sum())), np.int64)
