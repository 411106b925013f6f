"""What is kept of a score stays what it was: its parts with their names, programs, controllers and bends, its drums,
its tempos and its metres. Notes keep their own ticks; the grid of a model only says to which step a note belongs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.roll import nearest_step, onset_steps, tick_of, to_roll
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score

LATELY = 64  # steps beside what is composed; parts that play in them go on in it
FINE = 96  # ticks in a quarter note from which on the grid need not divide them: the rest is a few ms
REGISTERED = (6, 38, 96, 97, 98, 99, 100, 101)  # controllers that mean something together: all of them are kept
AT_REST = {1: 0, 7: 100, 10: 64, 11: 127, 64: 0, 65: 0, 66: 0, 67: 0}  # values of controllers where nothing is said
RESET, FIRST_MODE = 121, 120  # of the channel modes, from 120 on, only a reset changes what controllers are


def ready(score: Score, per_quarter: int) -> Score:
    """The score, in ticks that the grid divides: in finer ones where its own are few."""
    if score.resolution % per_quarter == 0 or score.resolution >= FINE:
        return score
    return Score(
        tuple(_in_ticks(part, lambda ticks: ticks * per_quarter) for part in score.parts),
        score.resolution * per_quarter,
        tuple((tick * per_quarter, *rest) for tick, *rest in score.tempos),  # type: ignore[misc]
        tuple((tick * per_quarter, *rest) for tick, *rest in score.metres),  # type: ignore[misc]
    )


def roll_of(score: Score, per_quarter: int) -> Roll:
    """As a model hears it. It lasts until the last drum is struck too, though no model hears that."""
    roll = to_roll(score, per_quarter)
    drums = [steps for part, steps in zip(score.parts, onset_steps(score, per_quarter), strict=True) if part.drums]
    last = max((int(steps.max(initial=-1)) + 1 for steps in drums), default=0)
    return lengthened(roll, max(0, last - roll.steps))


def playing_in(score: Score, steps: np.ndarray, per_quarter: int) -> tuple[Part, ...]:
    """The pitched parts that begin notes in some steps, bool (steps,), with these notes alone."""
    found = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        inside = part.notes[_within(begins, steps)]
        if len(inside) and not part.drums:
            found.append(dataclasses.replace(part, notes=inside))
    return tuple(found)


def playing_beside(score: Score, steps: np.ndarray, per_quarter: int) -> tuple[Part, ...]:
    """The pitched parts that play in some steps, bool (steps,); where none does, those that play beside them, or
    anywhere.
    """
    inside = np.flatnonzero(steps)
    near = np.zeros(len(steps), bool)
    near[max(0, inside[0] - LATELY) : inside[-1] + 1 + LATELY] = True
    everywhere = np.ones(len(steps), bool)
    tried = (playing_in(score, each, per_quarter) for each in (steps, near, everywhere))
    return next((parts for parts in tried if parts), ())


def without_bars(score: Score, gap: np.ndarray, per_quarter: int) -> Score:
    """Without the pitched notes that begin in a gap, bool (steps,).

    A note that begins before the gap stays whole. What is held on over its end is struck there. Drums stay.
    """
    end = int(np.flatnonzero(gap)[-1]) + 1
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        gone = _within(begins, gap) & (not part.drums)
        parts.append(
            dataclasses.replace(part, notes=_joined(part.notes[~gone], _tails(part, gone, end, score, per_quarter)))
        )
    return dataclasses.replace(score, parts=_with_notes(parts))


def from_step(score: Score, step: int, per_quarter: int) -> Score:
    """From a step on. What is held on over the cut is struck there; controllers and bends are as they were."""
    if not step:
        return score
    cut = int(tick_of(step, score.resolution, per_quarter))
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        gone = begins < step
        held = _tails(part, gone & (not part.drums), step, score, per_quarter)
        controls, bends = _controls_at(part.controls, cut), _bends_at(part.bends, cut)
        parts.append(dataclasses.replace(part, notes=_joined(part.notes[~gone], held), controls=controls, bends=bends))
    moved = tuple(_in_ticks(part, lambda ticks: np.maximum(0, ticks - cut)) for part in _with_notes(parts))
    return Score(moved, score.resolution, _changes_at(score.tempos, cut), _changes_at(score.metres, cut))


def twice(score: Score, step: int, per_quarter: int) -> Score:
    """The score, and from a step on, when it has ended, once more."""
    later = int(tick_of(step, score.resolution, per_quarter))
    parts = []
    for part in score.parts:
        again = _in_ticks(_at_rest(part), lambda ticks: ticks + later)
        parts.append(
            dataclasses.replace(
                part, notes=_joined(part.notes, again.notes), controls=np.concatenate([part.controls, again.controls]),
                bends=np.concatenate([part.bends, again.bends]),
            )
        )  # fmt: skip
    tempos, metres = (
        (*(change for change in changes if change[0] < later), *((tick + later, *rest) for tick, *rest in changes))
        for changes in (score.tempos, score.metres)
    )
    return Score(tuple(parts), score.resolution, tempos, metres)  # type: ignore[arg-type]


def _within(begins: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return np.append(steps, False)[np.minimum(begins, len(steps))]


def _tails(part: Part, which: np.ndarray, step: int, score: Score, per_quarter: int) -> np.ndarray:
    """What is left from a step on of some notes, bool (notes,), that begin before it."""
    notes = part.notes[which & (nearest_step(part.notes["stop"], score.resolution, per_quarter) > step)].copy()
    notes["start"] = tick_of(step, score.resolution, per_quarter)
    return notes


def _joined(*notes: np.ndarray) -> np.ndarray:
    whole = np.concatenate([np.zeros(0, NOTE), *notes])
    return whole[np.lexsort((whole["pitch"], whole["start"]))]


def _with_notes(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if len(part.notes))


def _in_ticks(part: Part, change: Any) -> Part:
    """With all times changed."""
    notes, controls, bends = part.notes.copy(), part.controls.copy(), part.bends.copy()
    for table, field in ((notes, "start"), (notes, "stop"), (controls, "tick"), (bends, "tick")):
        table[field] = change(table[field])
    return dataclasses.replace(part, notes=notes, controls=controls, bends=bends)


def _at_rest(part: Part) -> Part:
    """With what has changed when it ends as it was when it began: it can be played again."""
    controls = part.controls
    last = dict(zip(controls["controller"].tolist(), controls["value"].tolist(), strict=True))
    set_first = set(controls["controller"][controls["tick"] == 0].tolist())
    rest = [(0, controller, value) for controller, value in AT_REST.items()
            if last.get(controller, value) != value and controller not in set_first]  # fmt: skip
    bent = len(part.bends) and part.bends["value"][-1] and part.bends["tick"][0]
    return dataclasses.replace(
        part, controls=np.concatenate([np.array(rest, CONTROL), controls]),
        bends=np.concatenate([np.array([(0, 0)] if bent else [], BEND), part.bends]),
    )  # fmt: skip


def _controls_at(controls: np.ndarray, cut: int) -> np.ndarray:
    """Those after a cut, and of those before it what still holds."""
    before, kept = controls["tick"] < cut, controls["tick"] >= cut
    anew = set(controls["controller"][controls["tick"] == cut].tolist())
    last: dict[int, int] = {}
    for i in np.flatnonzero(before).tolist():
        controller = int(controls["controller"][i])
        if controller in REGISTERED:
            kept[i] = True
        elif controller not in anew and (controller < FIRST_MODE or controller == RESET):
            last[controller] = i
    kept[list(last.values())] = True
    return controls[kept]


def _bends_at(bends: np.ndarray, cut: int) -> np.ndarray:
    return bends[max(0, int((bends["tick"] <= cut).sum()) - 1) :]


def _changes_at(changes: Any, cut: int) -> Any:
    """(tick, ...) as they are from a cut on, the first of them at 0."""
    last = [change for change in changes if change[0] <= cut][-1]
    return ((0, *last[1:]), *((tick - cut, *rest) for tick, *rest in changes if tick > cut))
