"""Scores to piano rolls on a grid of steps, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.values import NOTE, Part, Roll, Score

PITCHES = 128
TICKS_PER_STEP = 120  # of a score that was a roll
POSITION_BITS, BAR_BITS = 4, 2
CLOCK = POSITION_BITS + BAR_BITS + 2  # numbers in a step's clock
CHORD = 24  # notes that begin within this part of a quarter note are one chord: 21 ms at 120, shorter than a 64th


def to_roll(score: Score, per_quarter: int = 4) -> Roll:
    """All pitched parts of a score on one grid of `per_quarter` steps in a quarter note.

    Notes begin and end at the nearest steps and last for one step at least; see `onset_steps` for chords. Where two
    would sound the same pitch the later one ends the earlier; of two that begin together the longer is kept, with the
    greater velocity.
    """
    heard = [i for i, part in enumerate(score.parts) if not part.drums]
    begins = onset_steps(score, per_quarter)
    notes = np.concatenate([np.zeros(0, NOTE), *(score.parts[i].notes for i in heard)])
    start = np.concatenate([np.zeros(0, np.int64), *(begins[i] for i in heard)])
    stop = np.maximum(start + 1, nearest_step(notes["stop"], score.resolution, per_quarter))
    steps = int(stop.max(initial=0))
    velocity = np.zeros((steps, PITCHES), np.uint8)
    struck = np.zeros((steps, PITCHES), bool)
    ends = np.zeros(PITCHES, np.int64)  # of the last note of each pitch
    for i in np.lexsort((stop, start)):
        first, last, pitch, loud = start[i], stop[i], notes["pitch"][i], notes["velocity"][i]
        loudest = max(loud, velocity[first, pitch]) if struck[first, pitch] else loud
        velocity[first : ends[pitch], pitch] = 0
        velocity[first:last, pitch] = loudest
        struck[first, pitch], ends[pitch] = True, last
    tempos, metres = (_on_grid(changes, score.resolution, per_quarter) for changes in (score.tempos, score.metres))
    return Roll(velocity, struck, per_quarter, tempos, metres)


def to_score(roll: Roll, program: int = 0, name: str = "") -> Score:
    """The inverse: one part with all notes, each from where it is struck until it is struck again or silent."""
    made = []
    for pitch in np.flatnonzero(roll.sounding.any(axis=0)):
        sounds = roll.sounding[:, pitch]
        begins = np.flatnonzero(sounds & (roll.struck[:, pitch] | ~np.concatenate([[False], sounds[:-1]])))
        ends = np.append(begins[1:], roll.steps)
        for begin, end in zip(begins, ends, strict=True):
            silent = np.flatnonzero(~sounds[begin:end])
            stop = begin + silent[0] if len(silent) else end
            made.append((begin * TICKS_PER_STEP, stop * TICKS_PER_STEP, pitch, roll.velocity[begin, pitch]))
    notes = np.array(made, NOTE)
    notes = notes[np.lexsort((notes["pitch"], notes["start"]))]
    tempos = tuple((step * TICKS_PER_STEP, tempo) for step, tempo in roll.tempos)
    metres = tuple((step * TICKS_PER_STEP, beats, note) for step, beats, note in roll.metres)
    return Score((Part(notes, program, name=name),), roll.per_quarter * TICKS_PER_STEP, tempos, metres)


def on_grid(score: Score, per_quarter: int) -> Score:
    """The pitched parts with their notes in whole steps, as notation has them. A note ends where the part strikes the
    same pitch again.
    """
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        notes = part.notes.copy()
        notes["start"] = begins
        notes["stop"] = np.maximum(begins + 1, nearest_step(part.notes["stop"], score.resolution, per_quarter))
        notes = notes[np.lexsort((notes["stop"], notes["pitch"], notes["start"]))]
        ends: dict[int, int] = {}  # of each pitch: where it is struck next
        kept = np.ones(len(notes), bool)
        for i in reversed(range(len(notes))):
            pitch, start = int(notes["pitch"][i]), int(notes["start"][i])
            kept[i] = ends.get(pitch) != start
            notes["stop"][i] = min(int(notes["stop"][i]), ends.get(pitch, int(notes["stop"][i]))) if kept[i] else 0
            ends[pitch] = start
        notes = notes[kept]
        for field in ("start", "stop"):
            notes[field] *= TICKS_PER_STEP
        if len(notes) and not part.drums:
            parts.append(dataclasses.replace(part, notes=notes))
    tempos, metres = (
        tuple((step * TICKS_PER_STEP, *rest) for step, *rest in _on_grid(changes, score.resolution, per_quarter))
        for changes in (score.tempos, score.metres)
    )
    return Score(tuple(parts), per_quarter * TICKS_PER_STEP, tempos, metres)  # type: ignore[arg-type]


def onset_steps(score: Score, per_quarter: int) -> list[np.ndarray]:
    """The step in which each note begins, int (notes,) for each part.

    It is the nearest one. Notes of all pitched parts that begin within a quarter note / CHORD of the first of them are
    one chord, and begin in the step nearest to their mean: nobody strikes all keys at once. So with drums, apart.
    """
    found = {}
    for drums in (False, True):
        parts = [part.notes["start"] for part in score.parts if part.drums == drums]
        ticks = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))
        found[drums] = ticks, _chord_steps(ticks, score.resolution, per_quarter)
    at = [np.searchsorted(found[part.drums][0], part.notes["start"]) for part in score.parts]
    return [found[part.drums][1][places] for part, places in zip(score.parts, at, strict=True)]


def chords_of(ticks: np.ndarray, resolution: int) -> np.ndarray:
    """Which chord, counted from 0, notes belong to that begin at some different ticks, in order, int (ticks,)."""
    window = resolution // CHORD
    first = np.zeros(len(ticks), np.int64)
    begun = -window - 1
    for i, tick in enumerate(ticks.tolist()):
        if tick - begun > window:
            begun, first[i] = tick, 1
    return np.cumsum(first) - 1


def _chord_steps(ticks: np.ndarray, resolution: int, per_quarter: int) -> np.ndarray:
    """The step of each of some different ticks, in order, int (ticks,)."""
    chord = chords_of(ticks, resolution)
    begun = ticks[np.unique(chord, return_index=True)[1]]
    late = np.bincount(chord, weights=ticks - begun[chord]) / np.bincount(chord)  # of the mean after the first
    return np.asarray(nearest_step(begun + late.astype(np.int64), resolution, per_quarter)[chord])


def bars_of(roll: Roll) -> tuple[np.ndarray, np.ndarray]:
    """Steps since the last bar line, and steps in the bar, int (steps,) both; a change of metre begins a bar."""
    position, length = np.zeros((2, roll.steps), np.int64)
    edges = [*(step for step, *_ in roll.metres), roll.steps]
    for (first, beats, note), last in zip(roll.metres, edges[1:], strict=True):
        bar = max(1, beats * 4 * roll.per_quarter // note)
        position[first:last] = np.arange(max(0, min(last, roll.steps) - first)) % bar
        length[first:last] = bar
    return position, length


def bar_clock(roll: Roll) -> np.ndarray:
    """Where each step is, float (steps, CLOCK): its place in the bar as bits and as a share, whether a bar begins, and
    the bar's number modulo 4 as bits.
    """
    position, length = bars_of(roll)
    begins = position == 0
    bar = np.cumsum(begins) - 1
    bits = [np.where(position >> bit & 1, 1.0, -1.0) for bit in range(POSITION_BITS)]
    bits += [np.where(bar >> bit & 1, 1.0, -1.0) for bit in range(BAR_BITS)]
    return np.stack([*bits, np.where(begins, 1.0, -1.0), position / length], axis=1).astype(np.float32)


def nearest_step(ticks: Any, resolution: int, per_quarter: int) -> Any:
    """Steps nearest to ticks; halfway goes on to the next."""
    return (2 * ticks * per_quarter + resolution) // (2 * resolution)


def tick_of(step: Any, resolution: int, per_quarter: int) -> Any:
    """The inverse: where steps begin, to the nearest tick."""
    return (2 * step * resolution + per_quarter) // (2 * per_quarter)


def _on_grid(changes: Any, resolution: int, per_quarter: int) -> Any:
    """Changes at ticks, (tick, ...), at their nearest steps; of two in one step the later holds."""
    nearest = {nearest_step(tick, resolution, per_quarter): rest for tick, *rest in changes}
    return tuple((step, *rest) for step, rest in nearest.items())
