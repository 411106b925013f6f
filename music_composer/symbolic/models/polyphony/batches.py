"""Training batches of the polyphony model: pieces as events, cut into windows and transposed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowLoader, stacked, transposed
from music_composer.symbolic.key_history import key_history_of
from music_composer.symbolic.models.polyphony.events import NEW, STEP_END, to_events
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import PITCHES, Roll


@dataclasses.dataclass(frozen=True)
class EventPiece:
    """A piece as events, with the context of each step.

    events: int (events,), from START to END. step: int (events - 1,), the step of each event after the first.
    active_before: bool (steps + 1, 128), the notes of the step before each step. key_history: float (steps + 1,
    channels, 12), before each step. clock: float (steps + 1, clock), the position of each step in its bar. The extra
    step is that of END.
    """

    events: np.ndarray
    step: np.ndarray
    active_before: np.ndarray
    key_history: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.clock) - 1

    @property
    def length(self) -> int:
        """The number of events to predict."""
        return len(self.events) - 1

    def shifted(self, semitones: int) -> EventPiece:
        """The piece, transposed. `fits` says whether its notes stay within the MIDI range."""
        # The events of a pitch and the one above are neighbours, for NEW as for CONTINUED.
        events = np.where(self.events >= NEW, self.events + semitones, self.events)
        active_before, key_history = (
            np.roll(array, semitones, axis=-1) for array in (self.active_before, self.key_history)
        )
        return dataclasses.replace(self, events=events, active_before=active_before, key_history=key_history)

    def fits(self, semitones: int) -> bool:
        pitches = (self.events[self.events >= NEW] - NEW) % PITCHES + semitones
        return not len(pitches) or bool(pitches.min() >= 0 and pitches.max() < PITCHES)


def to_piece(roll: Roll, options: PolyphonyOptions) -> EventPiece:
    events = to_events(roll)
    # The step of an event is the number of STEP_END before it.
    step = np.cumsum(events[:-1] == STEP_END)
    active_before = np.concatenate([np.zeros((1, PITCHES), bool), roll.active])
    key_history = key_history_of(roll.active, options.half_lives)
    # One step more than the roll, for END.
    return EventPiece(events, step, active_before, key_history, bar_clock(lengthened(roll, 1)))


@dataclasses.dataclass(frozen=True)
class EventLoader(WindowLoader):
    """Windows of `window` events. Training windows are transposed at random."""

    options: PolyphonyOptions

    def inputs(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        semitones = self.options.transpose
        return stacked(
            [event_inputs(transposed(piece, semitones, rng), start, self.window) for piece, start in windows]
        )


def event_inputs(piece: EventPiece, start: int, window: int) -> list[np.ndarray]:
    """The network's inputs for a window of events: see `Polyphony`. A window beyond the end is padded."""
    indices = np.arange(start, min(start + window, len(piece.events) - 1))
    padding = window - len(indices)
    step = piece.step[indices]
    arrays = [
        piece.events[indices].astype(np.int32), piece.events[indices + 1].astype(np.int32),
        piece.active_before[step].astype(np.float32), piece.key_history[step], piece.clock[step],
        np.ones(len(indices), np.float32),
    ]  # fmt: skip
    # STEP_END is possible after STEP_END, so the masked terms are finite and their gradients are not NaN.
    fills = (STEP_END, STEP_END, 0, 0, 0, 0)
    return [
        np.concatenate([array, np.full((padding, *array.shape[1:]), fill, array.dtype)])
        for array, fill in zip(arrays, fills, strict=True)
    ]
