"""Pieces for the biaxial model: windows of a roll that begin on bar lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowedLessons, transposed
from music_composer.symbolic.key_history import heard_before
from music_composer.symbolic.models.biaxial.notes import to_bits
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import bar_clock, bars_of
from music_composer.values import Roll

ROUND = 16  # steps: batches are filled up to a multiple of so many, since for each length something is compiled
POOL = 16  # batches among which pieces are put with others of their length


@dataclasses.dataclass(frozen=True)
class BitPiece:
    """bits: bool (steps, notes, 2). heard: float (steps, fades, 12), how much of each pitch class was heard before each
    step. clock: float (steps, clock). bars: int (steps,), steps since the bar line.
    """

    bits: np.ndarray
    heard: np.ndarray
    clock: np.ndarray
    bars: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.bits)

    length = steps

    def shifted(self, semitones: int) -> BitPiece:
        """Transposed; `fits` says whether it can be."""
        bits, heard = np.roll(self.bits, semitones, axis=1), np.roll(self.heard, semitones, axis=-1)
        return dataclasses.replace(self, bits=bits, heard=heard)

    def fits(self, semitones: int) -> bool:
        notes = np.flatnonzero(self.bits.any(axis=(0, 2))) + semitones
        return not len(notes) or bool(notes[0] >= 0 and notes[-1] < self.bits.shape[1])


def to_lesson(roll: Roll, options: BiaxialOptions) -> BitPiece:
    bits = to_bits(roll, options)
    heard = heard_before(bits[..., 0], options.fades)[:-1]
    return BitPiece(bits, heard, bar_clock(roll), bars_of(roll)[0])


@dataclasses.dataclass(frozen=True)
class BitLessons(WindowedLessons):
    """Windows of `window` steps that begin on bar lines."""

    options: BiaxialOptions

    def inputs(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        most = self.options.transpose
        return bit_inputs([(transposed(piece, most, rng), at) for piece, at in places], self.window)

    def order(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator) -> np.ndarray:
        """At random, but that a batch is of about one length: what it is filled up with would be computed for nothing.

        A batch counts as much as another, and so pieces count alike, and not their steps.
        """
        size = self.batch_size
        order, last = np.split(super().order(places, rng), [len(places) // size * size])
        steps = np.array([min(self.window, piece.steps - at) for piece, at in places])
        pools = [order[i : i + POOL * size] for i in range(0, len(order), POOL * size)]
        alike = [pool[np.argsort(steps[pool], kind="stable")].reshape(-1, size) for pool in pools]
        batches = rng.permutation(np.concatenate(alike)) if alike else order
        return np.concatenate([batches.ravel(), last])  # the last batch may have fewer


def bit_inputs(places: Sequence[tuple[BitPiece, int]], window: int) -> list[np.ndarray]:
    """bits, heard, clock and weight, as the model takes them, of windows that begin at a step of a piece, or at the
    bar line before it; the rest filled up with silence, as far as the longest of them needs it.
    """
    cuts = [(piece, at - int(piece.bars[at]) if at < piece.steps else at) for piece, at in places]
    longest = max(piece.steps - max(0, at) for piece, at in cuts)
    window = min(window, max(1, -(-longest // ROUND)) * ROUND)
    first = places[0][0]
    bits, heard, clock = (
        np.zeros((len(cuts), window, *each.shape[1:]), np.float32) for each in (first.bits, first.heard, first.clock)
    )
    weight = np.zeros((len(cuts), window), np.float32)
    for i, (piece, at) in enumerate(cuts):
        steps = min(window, piece.steps - max(0, at))
        cut = slice(max(0, at), max(0, at) + steps)
        bits[i, :steps], heard[i, :steps] = piece.bits[cut], piece.heard[cut]
        clock[i, :steps], weight[i, :steps] = piece.clock[cut], 1
    return [bits, heard, clock, weight]
