"""Pieces of notes as lessons of the training loop: cut, transposed, and filled up to batches."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from music_composer.symbolic.dataset.windows import starts_of, windows_in
from music_composer.symbolic.key_history import OCTAVE, heard_before
from music_composer.symbolic.models.voices.chords import lead_voices, to_chords
from music_composer.symbolic.options import VoicesOptions

ROUND = 32  # batches are filled up to a multiple of so many steps: every other length is another graph to build
DECISIONS = 512  # the same for what is decided in a batch
ALIKE = 24  # pieces that differ in length by less are put into a batch together, more or less
LOWEST_SHIFT = -5  # semitones
UNSHIFTED = 1 / 3  # of the batches


@dataclasses.dataclass(frozen=True)
class Piece:
    """sounding: bool (steps, pitches). clock: float (steps, clock), where in bar and phrase each step is.

    struck: bool, where notes begin, and level: int, how loud what sounds is, 1 and more, both (steps, pitches); None
    where nobody asks.
    """

    sounding: np.ndarray
    clock: np.ndarray
    struck: np.ndarray | None = None
    level: np.ndarray | None = None

    @property
    def steps(self) -> int:
        return len(self.sounding)

    @property
    def manner(self) -> np.ndarray:
        """int (steps, pitches), of what sounds: 0 is held on, 1 and more are struck. What is held on at the beginning
        of a cut counts as struck there.
        """
        if self.struck is None or self.level is None:
            return np.zeros(self.sounding.shape, np.int64)
        before = np.concatenate([np.zeros_like(self.sounding[:1]), self.sounding[:-1]])
        return np.where(self.sounding & (self.struck | ~before), self.level, 0)

    def cut(self, start: int, steps: int) -> Piece:
        return self._with(lambda each: each[start : start + steps], self.clock[start : start + steps])

    def shifted(self, semitones: int) -> Piece:
        """Transposed; `fits` says whether it can be."""
        return self._with(lambda each: np.roll(each, semitones, axis=1), self.clock)

    def _with(self, change: Callable[[np.ndarray], np.ndarray], clock: np.ndarray) -> Piece:
        struck, level = (None if each is None else change(each) for each in (self.struck, self.level))
        return Piece(change(self.sounding), clock, struck, level)

    def fits(self, semitones: int) -> bool:
        lowest, highest = self.range
        return lowest + semitones >= 0 and highest + semitones < self.sounding.shape[1]

    @functools.cached_property
    def range(self) -> tuple[int, int]:
        """Lowest and highest pitch; those of a piece of silence are the middle."""
        found = np.flatnonzero(self.sounding.any(axis=0))
        middle = self.sounding.shape[1] // 2
        return (int(found[0]), int(found[-1])) if len(found) else (middle, middle)


@dataclasses.dataclass(frozen=True)
class VoicesLessons:
    """Pieces for the voices model.

    window_steps: a longer piece is cut into windows of so many, at places that change from epoch to epoch.
    """

    training: Sequence[Piece]
    judged: Sequence[Piece]
    options: VoicesOptions
    batch_size: int
    window_steps: int

    @property
    def batches(self) -> int:
        return -(-sum(windows_in(piece.steps, self.window_steps) for piece in self.training) // self.batch_size)

    @functools.cached_property
    def most(self) -> int:
        return decisions_of([*self.training, *self.judged])

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        rng = np.random.default_rng([seed, 1, epoch])
        windows = [
            piece.cut(start, self.window_steps)
            for piece in self.training
            for start in starts_of(piece.steps, self.window_steps, rng)
        ]
        # Alike in length, but never the same together in every epoch.
        lengths = np.array([window.steps for window in windows])
        order = np.argsort(lengths // ALIKE + rng.random(len(windows)), kind="stable")
        starts = rng.permutation(range(0, len(order), self.batch_size))
        for number in range(first, len(starts)):
            chosen = [windows[i] for i in order[starts[number] : starts[number] + self.batch_size]]
            shifts = self._shifts(chosen, np.random.default_rng([seed, 2, epoch, number]))
            yield [self.inputs(chosen, shifts)]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        windows = [
            piece.cut(start, self.window_steps)
            for piece in sorted(self.judged, key=lambda piece: piece.steps)
            for start in range(0, piece.steps, self.window_steps)
        ]
        for i in range(0, len(windows), self.batch_size):
            batch = windows[i : i + self.batch_size]
            yield self.inputs(batch, [0] * len(batch)), sum(piece.steps for piece in batch)

    def inputs(self, pieces: Sequence[Piece], shifts: Sequence[int]) -> list[np.ndarray]:
        """What the model is given for pieces that are to be transposed by so many semitones."""
        return voices_inputs(pieces, shifts, self.options, self.most)

    def _shifts(self, pieces: Sequence[Piece], rng: np.random.Generator) -> list[int]:
        if rng.random() < UNSHIFTED:
            return [0] * len(pieces)
        shifts = range(LOWEST_SHIFT, LOWEST_SHIFT + self.options.shifts)
        return [int(rng.choice([shift for shift in shifts if piece.fits(shift)])) for piece in pieces]


def decisions_of(pieces: Sequence[Piece]) -> int:
    """Decisions in a step, at most: one for each note, and "no more"."""
    return 1 + max((int(piece.sounding.sum(axis=1).max(initial=0)) for piece in pieces), default=0)


def voices_inputs(
    pieces: Sequence[Piece],
    shifts: Sequence[int],
    options: VoicesOptions,
    most: int,
    told: Sequence[int] | None = None,
) -> list[np.ndarray]:
    """What the voices model takes, filled up to the longest piece.

    shifts: semitones that the pieces are transposed by. told: what the model is told of it, if that is not the same.
    """
    shape = len(pieces), -(-max(piece.steps for piece in pieces) // ROUND) * ROUND
    chords = np.full((*shape, most), options.pitches, np.int32)
    manners = np.zeros((*shape, most), np.int32)
    led = np.zeros((*shape, options.voices), np.int32)
    heard = np.zeros((*shape, len(options.fades), OCTAVE), np.float32)
    clock = np.zeros((*shape, options.clock), np.float32)
    weight = np.zeros(shape, np.float32)
    for i, (piece, shift) in enumerate(zip(pieces, shifts, strict=True)):
        steps, moved = piece.steps, piece.shifted(shift)
        chords[i, :steps] = to_chords(moved.sounding, most)
        manners[i, :steps] = manners_by_rank(chords[i, :steps], moved.manner)
        led[i] = lead_voices(chords[i], options.pitches, options.voices)
        heard[i, :steps] = heard_before(moved.sounding, options.fades)[:-1]
        clock[i, :steps], weight[i, :steps] = piece.clock, 1
    told_shift = np.array(told or shifts, np.int32) - LOWEST_SHIFT
    decisions = decisions_in(chords, weight, options.pitches)
    return [chords, manners, led, heard, clock, told_shift, decisions, weight]


def decisions_in(chords: np.ndarray, weight: np.ndarray, pitches: int) -> np.ndarray:
    """Which notes by rank are decided on, int (any,), as places in chords (batch, steps, most): all notes of the steps
    that count, and the first "no more" of each. Filled up with -1 to a multiple of DECISIONS.
    """
    notes = (chords < pitches).sum(axis=-1)
    places = np.flatnonzero((np.arange(chords.shape[-1]) <= notes[..., None]) & (weight[..., None] > 0))
    return np.pad(places, (0, -len(places) % DECISIONS), constant_values=-1).astype(np.int32)


def manners_by_rank(chords: np.ndarray, manner: np.ndarray) -> np.ndarray:
    """Manners by pitch, (steps, pitches), to those of the notes of chords, (steps, most); 0 where there is no note."""
    silent = np.zeros((len(manner), 1), manner.dtype)
    return np.take_along_axis(np.concatenate([manner, silent], axis=1), chords, axis=1)
