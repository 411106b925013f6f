"""Pieces as events for the polyphony model: what it is told before each event, cut into windows, transposed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowedLessons, stacked, transposed
from music_composer.symbolic.key_history import heard_before
from music_composer.symbolic.models.polyphony.events import NEW, PITCHES, STEP_END, to_events
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class EventPiece:
    """events: int (events,), from START to END. step: int (events - 1,), that each event after the first lies in.

    sounded: bool (steps + 1, 128), what sounds in the step before each. heard: float (steps + 1, fades, 12), how much
    of each pitch class was heard before it. clock: float (steps + 1, clock), where in its bar it is.
    """

    events: np.ndarray
    step: np.ndarray
    sounded: np.ndarray
    heard: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.clock) - 1

    @property
    def length(self) -> int:
        """Events that are asked for."""
        return len(self.events) - 1

    def shifted(self, semitones: int) -> EventPiece:
        """`fits` says whether it can be."""
        moved = np.where(self.events >= NEW, self.events + semitones, self.events)
        sounded, heard = (np.roll(each, semitones, axis=-1) for each in (self.sounded, self.heard))
        return dataclasses.replace(self, events=moved, sounded=sounded, heard=heard)

    def fits(self, semitones: int) -> bool:
        pitches = (self.events[self.events >= NEW] - NEW) % PITCHES + semitones
        return not len(pitches) or bool(pitches.min() >= 0 and pitches.max() < PITCHES)


def to_lesson(roll: Roll, options: PolyphonyOptions) -> EventPiece:
    events = to_events(roll)
    step = np.cumsum(events[:-1] == STEP_END)
    sounded = np.concatenate([np.zeros((1, PITCHES), bool), roll.sounding])
    heard = heard_before(roll.sounding, options.fades)
    return EventPiece(events, step, sounded, heard, bar_clock(lengthened(roll, 1)))


@dataclasses.dataclass(frozen=True)
class EventLessons(WindowedLessons):
    """Windows of `window` events. Training pieces are transposed at random."""

    options: PolyphonyOptions

    def inputs(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        most = self.options.transpose
        return stacked([event_inputs(transposed(piece, most, rng), at, self.window) for piece, at in places])


def event_inputs(piece: EventPiece, start: int, window: int) -> list[np.ndarray]:
    """told, target, sounded, heard, clock and weight, as the model takes them, of `window` events, the rest filled up.

    told: the event before each target.
    """
    places = np.arange(start, min(start + window, len(piece.events) - 1))
    spare = window - len(places)
    step = piece.step[places]
    arrays = [
        piece.events[places].astype(np.int32), piece.events[places + 1].astype(np.int32),
        piece.sounded[step].astype(np.float32), piece.heard[step], piece.clock[step], np.ones(len(places), np.float32),
    ]  # fmt: skip
    # What fills up is told and asked for STEP_END, which is always possible, and counts for nothing.
    fills = (STEP_END, STEP_END, 0, 0, 0, 0)
    return [
        np.concatenate([each, np.full((spare, *each.shape[1:]), fill, each.dtype)])
        for each, fill in zip(arrays, fills, strict=True)
    ]
