"""Pieces as events for the polyphony model: what it is told before each event, cut into windows, transposed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.symbolic.frames import bar_clock
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.polyphony.events import NEW, PITCHES, STEP_END, to_events
from music_composer.symbolic.rolls import lengthened
from music_composer.symbolic.windows import starts_of, windows_in
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class EventPiece:
    """events: int (events,), from START to END. step: int (events - 1,), that each event after the first lies in.

    sounded: bool (steps + 1, 128), what sounds in the step before each. clock: float (steps + 1, clock), where in its
    bar each step is.
    """

    events: np.ndarray
    step: np.ndarray
    sounded: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.clock) - 1

    def transposed(self, semitones: int) -> EventPiece:
        """`fits` says whether it can be."""
        moved = np.where(self.events >= NEW, self.events + semitones, self.events)
        return dataclasses.replace(self, events=moved, sounded=np.roll(self.sounded, semitones, axis=1))

    def fits(self, semitones: int) -> bool:
        pitches = (self.events[self.events >= NEW] - NEW) % PITCHES + semitones
        return not len(pitches) or bool(pitches.min() >= 0 and pitches.max() < PITCHES)


def to_lesson(roll: Roll) -> EventPiece:
    events = to_events(roll)
    step = np.cumsum(events[:-1] == STEP_END)
    sounded = np.concatenate([np.zeros((1, PITCHES), bool), roll.sounding])
    return EventPiece(events, step, sounded, bar_clock(lengthened(roll, 1)))


@dataclasses.dataclass(frozen=True)
class EventLessons:
    """Windows of `window` events. Training pieces are transposed at random, those that are judged by stay."""

    training: Sequence[EventPiece]
    judged: Sequence[EventPiece]
    options: PolyphonyOptions
    batch_size: int
    window: int

    @property
    def batches(self) -> int:
        return -(-sum(windows_in(len(piece.events) - 1, self.window) for piece in self.training) // self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        rng = np.random.default_rng([seed, 1, epoch])
        places = [(piece, at) for piece in self.training for at in starts_of(len(piece.events) - 1, self.window, rng)]
        order = rng.permutation(len(places))
        for number in range(first, self.batches):
            chosen = [places[i] for i in order[number * self.batch_size : (number + 1) * self.batch_size]]
            rng = np.random.default_rng([seed, 2, epoch, number])
            yield [_batch([event_inputs(self._transposed(piece, rng), at, self.window) for piece, at in chosen])]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        windows = [
            event_inputs(piece, start, self.window)
            for piece in self.judged
            for start in range(0, len(piece.events) - 1, self.window)
        ]
        for i in range(0, len(windows), self.batch_size):
            batch = windows[i : i + self.batch_size]
            yield _batch(batch), int(sum(window[-1].sum() for window in batch))

    def _transposed(self, piece: EventPiece, rng: np.random.Generator) -> EventPiece:
        most = self.options.transpose
        shifts = [shift for shift in range(-most, most + 1) if piece.fits(shift)] or [0]
        return piece.transposed(int(rng.choice(shifts)))


def event_inputs(piece: EventPiece, start: int, window: int) -> list[np.ndarray]:
    """told, target, sounded, clock and weight, as the model takes them, of `window` events, the rest filled up.

    told: the event before each target.
    """
    places = np.arange(start, min(start + window, len(piece.events) - 1))
    spare = window - len(places)
    step = piece.step[places]
    arrays = [
        piece.events[places].astype(np.int32), piece.events[places + 1].astype(np.int32),
        piece.sounded[step].astype(np.float32), piece.clock[step], np.ones(len(places), np.float32),
    ]  # fmt: skip
    # What fills up is told and asked for STEP_END, which is always possible, and counts for nothing.
    fills = (STEP_END, STEP_END, 0, 0, 0)
    return [
        np.concatenate([each, np.full((spare, *each.shape[1:]), fill, each.dtype)])
        for each, fill in zip(arrays, fills, strict=True)
    ]


def _batch(windows: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.stack(each) for each in zip(*windows, strict=True)]
