"""Pieces for the biaxial model: windows of a roll that begin on bar lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.symbolic.biaxial.notes import to_bits
from music_composer.symbolic.frames import bar_clock, bars_of
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.windows import starts_of, windows_in
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class BitPiece:
    """bits: bool (steps, notes, 2). clock: float (steps, clock). bars: int (steps,), steps since the bar line."""

    bits: np.ndarray
    clock: np.ndarray
    bars: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.bits)

    def shifted(self, semitones: int) -> BitPiece:
        """Transposed; `fits` says whether it can be."""
        return dataclasses.replace(self, bits=np.roll(self.bits, semitones, axis=1))

    def fits(self, semitones: int) -> bool:
        notes = np.flatnonzero(self.bits.any(axis=(0, 2))) + semitones
        return not len(notes) or bool(notes[0] >= 0 and notes[-1] < self.bits.shape[1])


def to_lesson(roll: Roll, options: BiaxialOptions) -> BitPiece:
    return BitPiece(to_bits(roll, options), bar_clock(roll), bars_of(roll)[0])


@dataclasses.dataclass(frozen=True)
class BitLessons:
    """Windows of `window` steps at most, all of a batch as long as the longest of them."""

    training: Sequence[BitPiece]
    judged: Sequence[BitPiece]
    options: BiaxialOptions
    batch_size: int
    window: int

    @property
    def batches(self) -> int:
        return -(-sum(windows_in(piece.steps, self.window) for piece in self.training) // self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        rng = np.random.default_rng([seed, 1, epoch])
        places = [(piece, at) for piece in self.training for at in starts_of(piece.steps, self.window, rng)]
        order = rng.permutation(len(places))
        for number in range(first, self.batches):
            rng = np.random.default_rng([seed, 2, epoch, number])
            chosen = [places[i] for i in order[number * self.batch_size : (number + 1) * self.batch_size]]
            yield [bit_inputs([(self._shifted(piece, rng), at) for piece, at in chosen], self.window)]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        places = [(piece, at) for piece in self.judged for at in range(0, piece.steps, self.window)]
        for i in range(0, len(places), self.batch_size):
            inputs = bit_inputs(places[i : i + self.batch_size], self.window)
            yield inputs, int(inputs[-1].sum())

    def _shifted(self, piece: BitPiece, rng: np.random.Generator) -> BitPiece:
        most = self.options.transpose
        return piece.shifted(int(rng.choice([shift for shift in range(-most, most + 1) if piece.fits(shift)] or [0])))


def bit_inputs(places: Sequence[tuple[BitPiece, int]], window: int) -> list[np.ndarray]:
    """bits, clock and weight, as the model takes them, of windows that begin at a step of a piece, or at the bar line
    before it; the rest filled up with silence.
    """
    cuts = [(piece, at - int(piece.bars[at]) if at < piece.steps else at) for piece, at in places]
    notes, clock = places[0][0].bits.shape[1:], places[0][0].clock.shape[1]
    bits = np.zeros((len(cuts), window, *notes), np.float32)
    time = np.zeros((len(cuts), window, clock), np.float32)
    weight = np.zeros((len(cuts), window), np.float32)
    for i, (piece, at) in enumerate(cuts):
        steps = min(window, piece.steps - max(0, at))
        cut = slice(max(0, at), max(0, at) + steps)
        bits[i, :steps], time[i, :steps], weight[i, :steps] = piece.bits[cut], piece.clock[cut], 1
    return [bits, time, weight]
