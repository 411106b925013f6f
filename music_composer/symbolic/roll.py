"""Scores to piano rolls on a grid of steps, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.values import NOTE, PITCHES, Part, Roll, Score

PIANO_KEYS, PIANO_LOWEST = 88, 21  # keys of a piano, and MIDI pitch of the lowest, A0
DEFAULT_VELOCITY = 100  # of notes without a loudness
TICKS_PER_STEP = 120  # of a score made from a roll
POSITION_BITS, BAR_BITS = 4, 2
CLOCK = POSITION_BITS + BAR_BITS + 2  # features of a step's position: see `bar_clock`
CHORD = 24  # onsets within a quarter note / 24 are one chord: 21 ms at 120 bpm, shorter than a 64th note


def to_roll(score: Score, per_quarter: int = 4) -> Roll:
    """All pitched parts of a score on one grid of `per_quarter` steps in a quarter note.

    Notes begin and end at the nearest steps and last at least one step; `onset_steps` treats chords. If two notes of a
    pitch overlap, the later one ends the earlier. If they begin together, the longer is kept, with the greater
    velocity.
    """
    pitched = [i for i, part in enumerate(score.parts) if not part.drums]
    begins = onset_steps(score, per_quarter)
    notes = np.concatenate([np.zeros(0, NOTE), *(score.parts[i].notes for i in pitched)])
    start = np.concatenate([np.zeros(0, np.int64), *(begins[i] for i in pitched)])
    stop = np.maximum(start + 1, nearest_step(notes["stop"], score.resolution, per_quarter))
    steps = int(stop.max(initial=0))
    velocity = np.zeros((steps, PITCHES), np.uint8)
    onset = np.zeros((steps, PITCHES), bool)
    ends = np.zeros(PITCHES, np.int64)  # where the last note of each pitch ends
    # By start, then by stop: of two notes that begin together the longer comes last and is kept.
    for i in np.lexsort((stop, start)):
        first, last, pitch, new_velocity = start[i], stop[i], notes["pitch"][i], notes["velocity"][i]
        if onset[first, pitch]:  # another note began here: the louder of the two counts
            new_velocity = max(new_velocity, velocity[first, pitch])
        # A later note of the pitch ends the earlier one.
        velocity[first : ends[pitch], pitch] = 0
        velocity[first:last, pitch] = new_velocity
        onset[first, pitch], ends[pitch] = True, last
    tempos, metres = (_on_grid(changes, score.resolution, per_quarter) for changes in (score.tempos, score.metres))
    return Roll(velocity, onset, per_quarter, tempos, metres)


def to_score(roll: Roll, program: int = 0, name: str = "") -> Score:
    """The inverse: one part with all notes. A note lasts from its onset to the next onset, or to silence."""
    rows = []
    for pitch in np.flatnonzero(roll.active.any(axis=0)):
        active = roll.active[:, pitch]
        begins = np.flatnonzero(active & (roll.onset[:, pitch] | ~np.concatenate([[False], active[:-1]])))
        ends = np.append(begins[1:], roll.steps)
        for begin, end in zip(begins, ends, strict=True):
            silent = np.flatnonzero(~active[begin:end])
            stop = begin + silent[0] if len(silent) else end
            rows.append((begin * TICKS_PER_STEP, stop * TICKS_PER_STEP, pitch, roll.velocity[begin, pitch]))
    notes = np.array(rows, NOTE)
    notes = notes[np.lexsort((notes["pitch"], notes["start"]))]
    tempos = tuple((step * TICKS_PER_STEP, tempo) for step, tempo in roll.tempos)
    metres = tuple((step * TICKS_PER_STEP, beats, note) for step, beats, note in roll.metres)
    return Score((Part(notes, program, name=name),), roll.per_quarter * TICKS_PER_STEP, tempos, metres)


def on_grid(score: Score, per_quarter: int) -> Score:
    """The pitched parts with their notes in whole steps, as notation needs them.

    A note ends where the part plays the same pitch again.
    """
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        notes = part.notes.copy()
        notes["start"] = begins
        notes["stop"] = np.maximum(begins + 1, nearest_step(part.notes["stop"], score.resolution, per_quarter))
        notes = notes[np.lexsort((notes["stop"], notes["pitch"], notes["start"]))]
        next_onset: dict[int, int] = {}  # of each pitch
        kept = np.ones(len(notes), bool)
        # Backwards, so that the next onset of each pitch is known.
        for i in reversed(range(len(notes))):
            pitch, start = int(notes["pitch"][i]), int(notes["start"][i])
            kept[i] = next_onset.get(pitch) != start
            stop = int(notes["stop"][i])
            notes["stop"][i] = min(stop, next_onset.get(pitch, stop)) if kept[i] else 0
            next_onset[pitch] = start
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
    """The step in which each note begins: for each part, int (notes,).

    It is the nearest step. Players do not press all keys of a chord at once: pitched notes of all parts that begin
    within a quarter note / CHORD of the first of them are one chord, and begin in the step nearest to their mean. Drums
    are grouped the same way, separately from pitched notes.
    """
    found = {}
    for drums in (False, True):
        parts = [part.notes["start"] for part in score.parts if part.drums == drums]
        ticks = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))
        found[drums] = ticks, _chord_steps(ticks, score.resolution, per_quarter)
    at = [np.searchsorted(found[part.drums][0], part.notes["start"]) for part in score.parts]
    return [found[part.drums][1][places] for part, places in zip(score.parts, at, strict=True)]


def chords_of(ticks: np.ndarray, resolution: int) -> np.ndarray:
    """The chord to which each onset belongs, counted from 0, int (ticks,). ticks: distinct, rising."""
    window = resolution // CHORD
    first = np.zeros(len(ticks), np.int64)
    begun = -window - 1
    for i, tick in enumerate(ticks.tolist()):
        if tick - begun > window:
            begun, first[i] = tick, 1
    return np.cumsum(first) - 1


def _chord_steps(ticks: np.ndarray, resolution: int, per_quarter: int) -> np.ndarray:
    """The step of each onset, int (ticks,). ticks: distinct, rising."""
    chord = chords_of(ticks, resolution)
    begun = ticks[np.unique(chord, return_index=True)[1]]
    delay = np.bincount(chord, weights=ticks - begun[chord]) / np.bincount(chord)  # mean of each chord after its first
    return np.asarray(nearest_step(begun + delay.astype(np.int64), resolution, per_quarter)[chord])


def bars_of(roll: Roll) -> tuple[np.ndarray, np.ndarray]:
    """Steps since the last bar line, and steps in the bar, int (steps,) each. A change of metre begins a bar."""
    position, length = np.zeros((2, roll.steps), np.int64)
    edges = [*(step for step, *_ in roll.metres), roll.steps]
    for (first, beats, note), last in zip(roll.metres, edges[1:], strict=True):
        # A bar shorter than a step counts as one.
        bar = max(1, beats * 4 * roll.per_quarter // note)
        position[first:last] = np.arange(max(0, min(last, roll.steps) - first)) % bar
        length[first:last] = bar
    return position, length


def bar_clock(roll: Roll) -> np.ndarray:
    """The position of each step, float32 (steps, CLOCK).

    The features are the position in the bar as bits of -1 and 1, the bar's number modulo 4 as bits, whether a bar
    begins, and the position as a share of the bar.
    """
    position, length = bars_of(roll)
    begins = position == 0
    bar = np.cumsum(begins) - 1
    bits = [np.where(position >> bit & 1, 1.0, -1.0) for bit in range(POSITION_BITS)]
    bits += [np.where(bar >> bit & 1, 1.0, -1.0) for bit in range(BAR_BITS)]
    return np.stack([*bits, np.where(begins, 1.0, -1.0), position / length], axis=1).astype(np.float32)


def nearest_step(ticks: Any, resolution: int, per_quarter: int) -> Any:
    """The steps nearest to ticks. Halfway goes to the later one."""
    return (2 * ticks * per_quarter + resolution) // (2 * resolution)


def tick_of(step: Any, resolution: int, per_quarter: int) -> Any:
    """The inverse: the ticks at which steps begin, rounded to the nearest."""
    return (2 * step * resolution + per_quarter) // (2 * per_quarter)


def _on_grid(changes: Any, resolution: int, per_quarter: int) -> Any:
    """Changes (tick, ...) at their nearest steps. Of two in one step the later is kept."""
    # A dictionary keeps the last value of a key.
    nearest = {nearest_step(tick, resolution, per_quarter): rest for tick, *rest in changes}
    return tuple((step, *rest) for step, rest in nearest.items())
