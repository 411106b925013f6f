"""Ticks and steps in seconds, by the tempo map; and rests of hours, which are cut."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.values import Roll, Score

MAX_REST = 3600.0  # seconds of silence, or of one note: a longer one comes from a wrong number
MAX_BAR = 60.0  # seconds; where bars are longer, rests are cut by quarter notes


def seconds_at(music: Score | Roll, times: Any) -> np.ndarray:
    """The times of ticks of a score, or of steps of a roll, in seconds from the beginning. times: of any shape."""
    unit = music.per_quarter if isinstance(music, Roll) else music.resolution
    changes = np.array([tick for tick, _ in music.tempos], float)
    seconds = np.array([60 / tempo / unit for _, tempo in music.tempos])  # of a tick
    begun = np.concatenate([[0.0], np.cumsum(np.diff(changes) * seconds[:-1])])
    times = np.asarray(times)
    # The tempo that holds at each time.
    number = np.clip(np.searchsorted(changes, times, side="right") - 1, 0, None)
    return np.asarray(begun[number] + (times - changes[number]) * seconds[number])


def seconds_of(music: Score | Roll) -> float:
    """The length to the end of the last note, in seconds."""
    return float(seconds_at(music, music.steps if isinstance(music, Roll) else music.ticks))


def ticks_at(score: Score, seconds: np.ndarray) -> np.ndarray:
    """The inverse of `seconds_at`, rounded down, int64."""
    changes = np.array([tick for tick, _ in score.tempos], np.int64)
    tick_seconds = np.array([60 / tempo / score.resolution for _, tempo in score.tempos])
    begun = np.concatenate([[0.0], np.cumsum(np.diff(changes) * tick_seconds[:-1])])
    number = np.clip(np.searchsorted(begun, seconds, side="right") - 1, 0, None)
    return changes[number] + ((seconds - begun[number]) / tick_seconds[number]).astype(np.int64)


def without_long_rests(score: Score) -> tuple[Score, tuple[str, ...]]:
    """A score without rests or notes longer than MAX_REST, and remarks on what was cut.

    Rests lose whole bars, so that what follows keeps its position in the bar. Control changes long after the last note
    are moved to its end.
    """
    if not score.count:
        return score, ()
    score, shortened = _with_shorter_notes(score)
    begins, lengths = _long_rests(score)
    remarks = []
    if shortened:
        remarks.append(f"{shortened} notes of more than {MAX_REST / 3600:.0f} hour were shortened")
    if len(begins):
        spent = (seconds_at(score, begins + lengths) - seconds_at(score, begins)).sum()
        remarks.append(f"{spent / 3600:.1f} hours of rest were cut")
    end = seconds_at(score, score.ticks) + MAX_REST
    last = int(ticks_at(score, end))
    if not remarks and _last_change(score) <= last:
        return score, ()
    return _without(score, begins, lengths, last), tuple(remarks)


def _last_change(score: Score) -> int:
    changes = [table["tick"] for part in score.parts for table in (part.controls, part.bends)]
    return max(int(ticks.max(initial=0)) for ticks in changes)


def _with_shorter_notes(score: Score) -> tuple[Score, int]:
    shortened, parts = 0, []
    for part in score.parts:
        notes = part.notes.copy()
        begun = seconds_at(score, notes["start"])
        long = seconds_at(score, notes["stop"]) - begun > MAX_REST
        notes["stop"][long] = np.maximum(notes["start"] + 1, ticks_at(score, begun + MAX_REST))[long]
        shortened += int(long.sum())
        parts.append(dataclasses.replace(part, notes=notes))
    return dataclasses.replace(score, parts=tuple(parts)) if shortened else score, shortened


def _long_rests(score: Score) -> tuple[np.ndarray, np.ndarray]:
    """Where rests are cut, and by how much, in ticks, int64 each."""
    notes = np.concatenate([part.notes for part in score.parts])
    order = np.argsort(notes["start"], kind="stable")
    # The end of all notes so far: silence lasts from there to the next onset.
    begins = np.concatenate([[0], np.maximum.accumulate(notes["stop"][order])[:-1]])
    ends = notes["start"][order]
    long = (ends > begins) & (seconds_at(score, ends) - seconds_at(score, begins) > MAX_REST)
    begins, ends = begins[long], ends[long]
    metres = np.array(score.metres, np.int64)
    _, beats, note = metres[np.searchsorted(metres[:, 0], ends, side="right") - 1].T
    bars = np.maximum(1, beats * 4 * score.resolution // note)
    # A bar of minutes is no unit for a cut.
    short = seconds_at(score, ends) - seconds_at(score, ends - bars) <= MAX_BAR
    units = np.where(short, bars, score.resolution)
    # One unit of the rest is left.
    return begins, np.maximum(0, (ends - begins) // units - 1) * units


def _without(score: Score, begins: np.ndarray, lengths: np.ndarray, last: int) -> Score:
    """A score without `lengths` ticks from each of `begins` on. Control changes after `last` are moved to it."""
    before = np.concatenate([[0], np.cumsum(lengths)])  # ticks that are cut before each segment

    def moved(ticks: np.ndarray) -> np.ndarray:
        number = np.searchsorted(begins, ticks, side="right")
        back = before[number]
        if len(begins):
            within = begins[number - 1] + lengths[number - 1] - ticks  # events within a cut move to its beginning
            back = np.where((number > 0) & (within > 0), back - within, back)
        return np.asarray(ticks - back)

    def changes(found: Any) -> Any:
        places = moved(np.array([change[0] for change in found], np.int64)).tolist()
        return tuple((tick, *rest) for tick, rest in {t: c[1:] for t, c in zip(places, found, strict=True)}.items())

    parts = []
    for part in score.parts:
        notes = part.notes.copy()
        notes["start"], notes["stop"] = moved(notes["start"]), moved(notes["stop"])
        controls, bends = part.controls.copy(), part.bends.copy()
        for table in (controls, bends):
            table["tick"] = moved(np.minimum(table["tick"], last))
        parts.append(dataclasses.replace(part, notes=notes, controls=controls, bends=bends))
    return Score(tuple(parts), score.resolution, changes(score.tempos), changes(score.metres))
