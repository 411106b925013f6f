"""Assembles fixed notes and generated notes into one score.

Fixed parts stay as they were; new notes get parts of their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.fixed_parts import from_step
from music_composer.symbolic.roll import tick_of, to_score
from music_composer.symbolic.roll_operations import laid_over, shortened
from music_composer.values import CONTROL, Part, Roll, Score

PIANO = 0
NEW = "new"
BANK, VOLUME, PAN = (0, 32), 7, 10  # controllers of a part's sound, loudness and position


@dataclasses.dataclass(frozen=True)
class Piece:
    """A finished piece. roll: for the picture. added: the number of new notes."""

    score: Score
    roll: Roll
    added: int


def assembled(generated: Roll, constraints: Constraints, program: int | None = None) -> Piece:
    """The piece that a model generated for some constraints.

    Each new note goes to the instrument whose median pitch is nearest. With a `program`, or without instruments, all
    new notes go to one part. A primer without a score shares a part with the notes that follow it.
    """
    new = added(generated, constraints)
    roll = shortened(laid_over(new, constraints.fixed), constraints.omitted)
    count = int(new.onset.sum())
    if constraints.score is None:
        return Piece(to_score(roll, PIANO if program is None else program), roll, count)
    score = constraints.score
    notes = _notes_of(new, score.resolution)
    parts = _parts_of(
        notes, () if program is not None else constraints.instruments, PIANO if program is None else program
    )
    whole = dataclasses.replace(score, parts=(*score.parts, *parts))
    return Piece(from_step(whole, constraints.omitted, generated.per_quarter), roll, count)


def added(generated: Roll, constraints: Constraints) -> Roll:
    """The notes that begin in editable steps and are not fixed.

    A fixed note ends where it did: what a model adds to its end is dropped.
    """
    fixed = constraints.fixed.active
    free = generated.active & ~fixed & constraints.editable[:, None]
    before = np.concatenate([np.zeros_like(fixed[:1]), generated.active[:-1] | fixed[:-1]])
    onset = free & (generated.onset | ~before)
    sounds = np.zeros_like(free)
    # A note lasts from its onset on while it stays free; what has no onset of its own is dropped.
    for step in range(generated.steps):
        sounds[step] = free[step] & (onset[step] | (sounds[step - 1] if step else False))
    return dataclasses.replace(generated, velocity=np.where(sounds, generated.velocity, 0), onset=onset)


def _notes_of(roll: Roll, resolution: int) -> np.ndarray:
    """The notes of a roll in ticks of another resolution."""
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
    # The median is robust against a few notes in another range.
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
    """The controls that give a new part the sound of another: bank and pan as first set, and the greatest volume."""
    rows = []
    for controller in (*BANK, VOLUME, PAN):
        values = part.controls["value"][part.controls["controller"] == controller]
        if len(values):
            rows.append((0, controller, values.max() if controller == VOLUME else values[0]))
    return np.array(rows, CONTROL)
