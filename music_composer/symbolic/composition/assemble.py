"""What was kept and what a model added, to one score: kept parts as they were, new notes in parts of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.symbolic.constraints import Request
from music_composer.symbolic.fixed_parts import from_step
from music_composer.symbolic.roll import tick_of, to_score
from music_composer.symbolic.roll_operations import laid_over, shortened
from music_composer.values import CONTROL, Part, Roll, Score

PIANO = 0
NEW = "new"
BANK, VOLUME, PAN = (0, 32), 7, 10  # controllers that say which sound a part has, how loud, and where


@dataclasses.dataclass(frozen=True)
class Piece:
    """roll: what sounds on the grid, for the picture. added: notes that are new."""

    score: Score
    roll: Roll
    added: int


def assembled(made: Roll, request: Request, program: int | None = None) -> Piece:
    """A piece from what a model made of a request, as long as that.

    Each new note goes to the instrument of the request whose notes are nearest in pitch, in the middle; with a
    `program`, or where there is no instrument, to one part. A primer in words is in one part with what follows it.
    """
    new = added(made, request)
    roll = shortened(laid_over(new, request.kept), request.omitted)
    count = int(new.struck.sum())
    if request.score is None:
        return Piece(to_score(roll, PIANO if program is None else program), roll, count)
    score = request.score
    notes = _notes_of(new, score.resolution)
    parts = _parts_of(notes, () if program is not None else request.instruments, PIANO if program is None else program)
    whole = dataclasses.replace(score, parts=(*score.parts, *parts))
    return Piece(from_step(whole, request.omitted, made.per_quarter), roll, count)


def added(made: Roll, request: Request) -> Roll:
    """The notes that begin in open steps and are not kept. A kept note ends when it did: what a model holds on of it
    is left out.
    """
    free = made.sounding & ~request.kept.sounding & request.open_steps[:, None]
    before = np.concatenate([np.zeros_like(made.sounding[:1]), made.sounding[:-1] | request.kept.sounding[:-1]])
    struck = free & (made.struck | ~before)
    goes_on = np.zeros_like(free)
    for step in range(made.steps):
        goes_on[step] = free[step] & (struck[step] | (goes_on[step - 1] if step else False))
    return dataclasses.replace(made, velocity=np.where(goes_on, made.velocity, 0), struck=struck)


def _notes_of(roll: Roll, resolution: int) -> np.ndarray:
    """The notes of a roll in other ticks."""
    score = to_score(roll)
    notes = score.parts[0].notes
    per_step = score.resolution // roll.per_quarter
    for field in ("start", "stop"):
        notes[field] = tick_of(notes[field] // per_step, resolution, roll.per_quarter)
    return notes


def _parts_of(notes: np.ndarray, instruments: Sequence[Part], program: int) -> list[Part]:
    if not len(notes):
        return []
    if not instruments:
        return [Part(notes, program, name=NEW)]
    middles = np.array([np.median(part.notes["pitch"]) for part in instruments])
    nearest = np.abs(notes["pitch"].astype(float)[:, None] - middles).argmin(axis=1)
    return [
        Part(
            notes[nearest == i], part.program, name=f"{part.name} ({NEW})" if part.name else NEW, controls=_sound(part)
        )
        for i, part in enumerate(instruments)
        if (nearest == i).any()
    ]


def _sound(part: Part) -> np.ndarray:
    """What makes a new part sound like another: its bank and place, as they are set first, and its greatest volume."""
    rows = []
    for controller in (*BANK, VOLUME, PAN):
        values = part.controls["value"][part.controls["controller"] == controller]
        if len(values):
            rows.append((0, controller, values.max() if controller == VOLUME else values[0]))
    return np.array(rows, CONTROL)
