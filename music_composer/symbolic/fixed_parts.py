"""Cuts scores around the bars that are composed anew, without changing what stays.

Parts keep their names, programs, controllers, bends and drums; the score keeps its tempos and metres. Notes keep their
own ticks. The grid of a model only decides to which step a note belongs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.roll import nearest_step, onset_steps, tick_of, to_roll
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import BEND, CONTROL, NOTE, Part, Roll, Score

NEARBY_STEPS = 64  # steps around the new music; the parts that play in them continue in it
FINE_RESOLUTION = 96  # ticks in a quarter note; rounding such ticks to the grid is a few ms
REGISTERED = (6, 38, 96, 97, 98, 99, 100, 101)  # controllers that set a registered parameter together: all are kept
DEFAULT_CONTROLS = {1: 0, 7: 100, 10: 64, 11: 127, 64: 0, 65: 0, 66: 0, 67: 0}  # values of controllers that are not set
RESET, FIRST_MODE = 121, 120  # of the channel modes, from 120 on, only a reset changes controllers


def with_fine_ticks(score: Score, per_quarter: int) -> Score:
    """The score in ticks that the grid divides.

    A score with few ticks in a quarter note gets finer ones; with many, the rounding to the grid is not heard.
    """
    if score.resolution % per_quarter == 0 or score.resolution >= FINE_RESOLUTION:
        return score
    return Score(
        tuple(_in_ticks(part, lambda ticks: ticks * per_quarter) for part in score.parts),
        score.resolution * per_quarter,
        tuple((tick * per_quarter, *rest) for tick, *rest in score.tempos),  # type: ignore[misc]
        tuple((tick * per_quarter, *rest) for tick, *rest in score.metres),  # type: ignore[misc]
    )


def roll_of(score: Score, per_quarter: int) -> Roll:
    """The score as a piano roll that also lasts until the last drum onset.

    A roll has no drums: they lengthen it by silent steps.
    """
    roll = to_roll(score, per_quarter)
    drums = [steps for part, steps in zip(score.parts, onset_steps(score, per_quarter), strict=True) if part.drums]
    last = max((int(steps.max(initial=-1)) + 1 for steps in drums), default=0)
    return lengthened(roll, max(0, last - roll.steps))


def playing_in(score: Score, steps: np.ndarray, per_quarter: int) -> tuple[Part, ...]:
    """The pitched parts with onsets in some steps, bool (steps,), with these notes alone."""
    found = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        inside = part.notes[_within(begins, steps)]
        if len(inside) and not part.drums:
            found.append(dataclasses.replace(part, notes=inside))
    return tuple(found)


def playing_near(score: Score, steps: np.ndarray, per_quarter: int) -> tuple[Part, ...]:
    """The pitched parts that play in some steps, bool (steps,).

    If none does, those that play near these steps; if none does, all.
    """
    indices = np.flatnonzero(steps)
    near = np.zeros(len(steps), bool)
    near[max(0, indices[0] - NEARBY_STEPS) : indices[-1] + 1 + NEARBY_STEPS] = True
    everywhere = np.ones(len(steps), bool)
    candidates = (playing_in(score, where, per_quarter) for where in (steps, near, everywhere))
    return next((parts for parts in candidates if parts), ())


def without_bars(score: Score, gap: np.ndarray, per_quarter: int) -> Score:
    """The score without the pitched notes that begin in a gap, bool (steps,).

    A note that begins before the gap stays whole. A note that lasts beyond the end of the gap begins there. Drums stay.
    """
    end = int(np.flatnonzero(gap)[-1]) + 1
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        # Drums are never composed, so they stay.
        removed = _within(begins, gap) & (not part.drums)
        parts.append(
            dataclasses.replace(
                part, notes=_joined(part.notes[~removed], _tails(part, removed, end, score, per_quarter))
            )
        )
    return dataclasses.replace(score, parts=_with_notes(parts))


def from_step(score: Score, step: int, per_quarter: int) -> Score:
    """The score from a step on, which becomes its beginning.

    Notes that last across the cut begin there. Controllers and bends keep the values that they have at the cut.
    """
    if not step:
        return score
    cut = int(tick_of(step, score.resolution, per_quarter))
    parts = []
    for part, begins in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        removed = begins < step
        held = _tails(part, removed & (not part.drums), step, score, per_quarter)
        controls, bends = _controls_at(part.controls, cut), _bends_at(part.bends, cut)
        parts.append(
            dataclasses.replace(part, notes=_joined(part.notes[~removed], held), controls=controls, bends=bends)
        )
    moved = tuple(_in_ticks(part, lambda ticks: np.maximum(0, ticks - cut)) for part in _with_notes(parts))
    return Score(moved, score.resolution, _changes_at(score.tempos, cut), _changes_at(score.metres, cut))


def twice(score: Score, step: int, per_quarter: int) -> Score:
    """The score, and the whole score again from a step on, which lies after its end."""
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


def _tails(part: Part, selected: np.ndarray, step: int, score: Score, per_quarter: int) -> np.ndarray:
    """The parts of some notes, bool (notes,), that last beyond a step: they begin there."""
    notes = part.notes[selected & (nearest_step(part.notes["stop"], score.resolution, per_quarter) > step)].copy()
    notes["start"] = tick_of(step, score.resolution, per_quarter)
    return notes


def _joined(*notes: np.ndarray) -> np.ndarray:
    whole = np.concatenate([np.zeros(0, NOTE), *notes])
    return whole[np.lexsort((whole["pitch"], whole["start"]))]


def _with_notes(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if len(part.notes))


def _in_ticks(part: Part, change: Any) -> Part:
    """The part with all times mapped."""
    notes, controls, bends = part.notes.copy(), part.controls.copy(), part.bends.copy()
    for table, field in ((notes, "start"), (notes, "stop"), (controls, "tick"), (bends, "tick")):
        table[field] = change(table[field])
    return dataclasses.replace(part, notes=notes, controls=controls, bends=bends)


def _at_rest(part: Part) -> Part:
    """The part with its controllers and wheel reset at the beginning, so that it can be played again.

    Only those are reset that end at another value than the default and are not set at tick 0.
    """
    controls = part.controls
    last = dict(zip(controls["controller"].tolist(), controls["value"].tolist(), strict=True))
    set_first = set(controls["controller"][controls["tick"] == 0].tolist())
    rest = [(0, controller, value) for controller, value in DEFAULT_CONTROLS.items()
            if last.get(controller, value) != value and controller not in set_first]  # fmt: skip
    # Only a wheel that ends off centre, and is not set at the start, needs a reset.
    off_centre = len(part.bends) and part.bends["value"][-1] and part.bends["tick"][0]
    return dataclasses.replace(
        part, controls=np.concatenate([np.array(rest, CONTROL), controls]),
        bends=np.concatenate([np.array([(0, 0)] if off_centre else [], BEND), part.bends]),
    )  # fmt: skip


def _controls_at(controls: np.ndarray, cut: int) -> np.ndarray:
    """The controls from a cut on, and the last value of each controller before it."""
    before, kept = controls["tick"] < cut, controls["tick"] >= cut
    # A controller that is set at the cut needs no earlier value.
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
    """Changes (tick, ...) from a cut on. The first of them is at 0."""
    last = [change for change in changes if change[0] <= cut][-1]
    return ((0, *last[1:]), *((tick - cut, *rest) for tick, *rest in changes if tick > cut))
