"""Steps of a piano roll as chords: their notes from the bass up, and the voices that lead from one to the next."""

from __future__ import annotations

import functools
import itertools

import numpy as np

SILENT = -1  # what a voice has not sung yet


def to_chords(sounding: np.ndarray, most: int) -> np.ndarray:
    """bool (steps, pitches) -> the notes of each step in rising order, int (steps, most); what is left is `pitches`.

    Raises ValueError where a step has more than `most` notes.
    """
    steps, pitches = sounding.shape
    counts = sounding.sum(axis=1)
    if counts.max(initial=0) > most:
        raise ValueError(f"step {int(counts.argmax())} has {counts.max()} notes; there is room for {most}")
    chords = np.full((steps, most), pitches, np.int32)
    step, pitch = np.nonzero(sounding)  # in the order of steps, and of pitches in each
    rank = np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
    chords[step, rank] = pitch
    return chords


def to_sounding(chords: np.ndarray, pitches: int) -> np.ndarray:
    """The inverse: bool (steps, pitches)."""
    sounding = np.zeros((len(chords), pitches + 1), bool)
    np.put_along_axis(sounding, chords, True, axis=1)
    return sounding[:, :pitches]


def lead_voices(chords: np.ndarray, pitches: int, voices: int = 4) -> np.ndarray:
    """What each voice sings in each step, from the bass up, int (steps, voices); SILENT before its first note.

    chords: as `to_chords` gives them. A chord of fewer notes than voices is sung with notes doubled, one of more
    without some inner ones: in each case so that all voices together move as little as they can from the step before.
    A silent step leaves the voices where they are. Steps never depend on later ones.
    """
    led = np.full((len(chords), voices), SILENT, np.int32)
    counts = (chords < pitches).sum(axis=1)
    now = np.full(voices, SILENT, np.int32)
    for step, (chord, count) in enumerate(zip(chords, counts, strict=True)):
        if count:
            ways = chord[ways_to_sing(int(count), voices)]
            moved = np.abs(ways - now).sum(axis=1) if now[0] != SILENT else np.zeros(len(ways))
            now = ways[moved.argmin()]
        led[step] = now
    return led


@functools.cache
def ways_to_sing(notes: int, voices: int) -> np.ndarray:
    """Every way for voices in rising order to share notes in rising order, as ranks of notes, (ways, voices).

    The lowest and the highest note are always sung; of fewer notes than voices, all are. The first way spreads evenly.
    """
    if notes <= voices:
        doublings = itertools.combinations(range(1, voices), notes - 1)  # where the next note begins
        ways = [np.searchsorted(cuts, np.arange(voices), side="right") for cuts in doublings]
    else:
        inner = itertools.combinations(range(1, notes - 1), voices - 2)
        ways = [np.array([0, *middle, notes - 1]) for middle in inner]
    even = np.linspace(0, notes - 1, voices)
    return np.array(sorted(ways, key=lambda way: float(np.abs(way - even).sum())), np.int64)
