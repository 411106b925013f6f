"""Training batches of the voices model: pieces cut into windows, transposed, and padded."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from music_composer.symbolic.dataset.windows import starts_of, windows_in
from music_composer.symbolic.key_history import key_history_of
from music_composer.symbolic.models.voices.chords import lead_voices, to_chords
from music_composer.symbolic.options import VoicesOptions
from music_composer.values import OCTAVE

PAD_TO = 32  # steps: every new length of a batch compiles a graph
PAD_DECISIONS_TO = 512
LENGTH_SPREAD = 24  # steps by which the windows of a batch differ in length, more or less
LOWEST_SHIFT = -5  # semitones
UNSHIFTED = 1 / 3  # of the batches


@dataclasses.dataclass(frozen=True)
class Piece:
    """A piece on the keys of the model.

    active: bool (steps, pitches). clock: float (steps, clock), the position of each step in bar and phrase. onset:
    bool, and level: int, the loudness level of active notes from 1 on, both (steps, pitches); None in models without
    articulation.
    """

    active: np.ndarray
    clock: np.ndarray
    onset: np.ndarray | None = None
    level: np.ndarray | None = None

    @property
    def steps(self) -> int:
        return len(self.active)

    @property
    def articulation(self) -> np.ndarray:
        """Of active notes, int (steps, pitches): 0 is held, 1 and more are the loudness level of an onset.

        A note that is held across the start of a window has an onset there.
        """
        if self.onset is None or self.level is None:
            return np.zeros(self.active.shape, np.int64)
        # A window begins without a step before it.
        before = np.concatenate([np.zeros_like(self.active[:1]), self.active[:-1]])
        return np.where(self.active & (self.onset | ~before), self.level, 0)

    def cut(self, start: int, steps: int) -> Piece:
        return self._mapped(lambda array: array[start : start + steps], self.clock[start : start + steps])

    def shifted(self, semitones: int) -> Piece:
        """The piece, transposed. `fits` says whether its notes stay on the keys."""
        return self._mapped(lambda array: np.roll(array, semitones, axis=1), self.clock)

    def _mapped(self, function: Callable[[np.ndarray], np.ndarray], clock: np.ndarray) -> Piece:
        onset, level = (None if array is None else function(array) for array in (self.onset, self.level))
        return Piece(function(self.active), clock, onset, level)

    def fits(self, semitones: int) -> bool:
        lowest, highest = self.range
        return lowest + semitones >= 0 and highest + semitones < self.active.shape[1]

    @functools.cached_property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest pitch; for a silent piece, the middle twice."""
        pitches = np.flatnonzero(self.active.any(axis=0))
        middle = self.active.shape[1] // 2
        return (int(pitches[0]), int(pitches[-1])) if len(pitches) else (middle, middle)


@dataclasses.dataclass(frozen=True)
class VoicesLoader:
    """A data loader of whole pieces; pieces longer than `window_steps` are cut into windows.

    The cuts are random in each epoch. Batches depend on (seed, epoch) alone, so that any epoch can be repeated.
    """

    training: Sequence[Piece]
    validation: Sequence[Piece]
    options: VoicesOptions
    batch_size: int
    window_steps: int

    @property
    def batches(self) -> int:
        """Batches in an epoch."""
        return -(-sum(windows_in(piece.steps, self.window_steps) for piece in self.training) // self.batch_size)

    @functools.cached_property
    def max_decisions(self) -> int:
        return decisions_of([*self.training, *self.validation])

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        """The batches of an epoch, from number `first` on."""
        rng = np.random.default_rng([seed, 1, epoch])
        windows = [
            piece.cut(start, self.window_steps)
            for piece in self.training
            for start in starts_of(piece.steps, self.window_steps, rng)
        ]
        # Windows of a batch are of similar length, but the random part groups them differently in every epoch.
        lengths = np.array([window.steps for window in windows])
        order = np.argsort(lengths // LENGTH_SPREAD + rng.random(len(windows)), kind="stable")
        starts = rng.permutation(range(0, len(order), self.batch_size))
        for number in range(first, len(starts)):
            chosen = [windows[i] for i in order[starts[number] : starts[number] + self.batch_size]]
            shifts = self._shifts(chosen, np.random.default_rng([seed, 2, epoch, number]))
            yield [self.inputs(chosen, shifts)]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        """The validation batches, not transposed, and how many steps count in each."""
        windows = [
            piece.cut(start, self.window_steps)
            for piece in sorted(self.validation, key=lambda piece: piece.steps)
            for start in range(0, piece.steps, self.window_steps)
        ]
        for i in range(0, len(windows), self.batch_size):
            batch = windows[i : i + self.batch_size]
            yield self.inputs(batch, [0] * len(batch)), sum(piece.steps for piece in batch)

    def inputs(self, pieces: Sequence[Piece], shifts: Sequence[int]) -> list[np.ndarray]:
        """The network's inputs for pieces. shifts: semitones by which each is transposed."""
        return voices_inputs(pieces, shifts, self.options, self.max_decisions)

    def _shifts(self, pieces: Sequence[Piece], rng: np.random.Generator) -> list[int]:
        if rng.random() < UNSHIFTED:
            return [0] * len(pieces)
        # Each piece of a batch gets a shift of its own.
        shifts = range(LOWEST_SHIFT, LOWEST_SHIFT + self.options.shifts)
        return [int(rng.choice([shift for shift in shifts if piece.fits(shift)])) for piece in pieces]


def decisions_of(pieces: Sequence[Piece]) -> int:
    """The most decisions in any step: one for each note, and "no more"."""
    return 1 + max((int(piece.active.sum(axis=1).max(initial=0)) for piece in pieces), default=0)


def voices_inputs(
    pieces: Sequence[Piece],
    shifts: Sequence[int],
    options: VoicesOptions,
    max_decisions: int,
    conditions: Sequence[int] | None = None,
) -> list[np.ndarray]:
    """The network's inputs for pieces, padded to the longest: see `Voices`.

    shifts: semitones by which the pieces are transposed. conditions: the transpositions that the network is told; by
    default the shifts.
    """
    shape = len(pieces), -(-max(piece.steps for piece in pieces) // PAD_TO) * PAD_TO
    chords = np.full((*shape, max_decisions), options.pitches, np.int32)
    articulations = np.zeros((*shape, max_decisions), np.int32)
    voice_pitches = np.zeros((*shape, options.voices), np.int32)
    key_history = np.zeros((*shape, len(options.half_lives), OCTAVE), np.float32)
    clock = np.zeros((*shape, options.clock), np.float32)
    mask = np.zeros(shape, np.float32)
    for i, (piece, shift) in enumerate(zip(pieces, shifts, strict=True)):
        steps, moved = piece.steps, piece.shifted(shift)
        chords[i, :steps] = to_chords(moved.active, max_decisions)
        articulations[i, :steps] = articulations_by_rank(chords[i, :steps], moved.articulation)
        # Padded steps are silent: the voices keep their pitches there.
        voice_pitches[i] = lead_voices(chords[i], options.pitches, options.voices)
        key_history[i, :steps] = key_history_of(moved.active, options.half_lives)[:-1]
        clock[i, :steps], mask[i, :steps] = piece.clock, 1
    shift_index = np.array(conditions or shifts, np.int32) - LOWEST_SHIFT
    decisions = decisions_in(chords, mask, options.pitches)
    return [chords, articulations, voice_pitches, key_history, clock, shift_index, decisions, mask]


def decisions_in(chords: np.ndarray, mask: np.ndarray, pitches: int) -> np.ndarray:
    """The decisions of a batch, as flat indices into chords (batch, steps, max_notes): int32 (decisions,).

    They are all notes of the steps that count, and the first unused place of each: "no more". Padded with -1 to a
    multiple of PAD_DECISIONS_TO.
    """
    # Unused places hold the number of pitches.
    notes = (chords < pitches).sum(axis=-1)
    indices = np.flatnonzero((np.arange(chords.shape[-1]) <= notes[..., None]) & (mask[..., None] > 0))
    return np.pad(indices, (0, -len(indices) % PAD_DECISIONS_TO), constant_values=-1).astype(np.int32)


def articulations_by_rank(chords: np.ndarray, articulation: np.ndarray) -> np.ndarray:
    """Articulations by pitch, (steps, pitches), as those of the notes of chords, (steps, max_notes); 0 without a
    note.
    """
    unused = np.zeros((len(articulation), 1), articulation.dtype)
    return np.take_along_axis(np.concatenate([articulation, unused], axis=1), chords, axis=1)
