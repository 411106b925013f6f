"""Training batches of the biaxial model: windows of pieces that begin on bar lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowLoader, transposed
from music_composer.symbolic.key_history import key_history_of
from music_composer.symbolic.models.biaxial.notes import to_bits
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.roll import bar_clock, bars_of
from music_composer.values import Roll

PAD_TO = 16  # steps: every new length of a batch compiles a graph
POOL = 16  # batches within which windows are sorted by length


@dataclasses.dataclass(frozen=True)
class BitPiece:
    """A piece as bits, with the context of each step.

    bits: bool (steps, notes, 2). key_history: float (steps, channels, 12), before each step. clock: float (steps,
    clock). bars: int (steps,), steps since the bar line.
    """

    bits: np.ndarray
    key_history: np.ndarray
    clock: np.ndarray
    bars: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.bits)

    length = steps

    def shifted(self, semitones: int) -> BitPiece:
        """The piece, transposed. `fits` says whether its notes stay within the range."""
        bits = np.roll(self.bits, semitones, axis=1)
        return dataclasses.replace(self, bits=bits, key_history=np.roll(self.key_history, semitones, axis=-1))

    def fits(self, semitones: int) -> bool:
        notes = np.flatnonzero(self.bits.any(axis=(0, 2))) + semitones
        return not len(notes) or bool(notes[0] >= 0 and notes[-1] < self.bits.shape[1])


def to_piece(roll: Roll, options: BiaxialOptions) -> BitPiece:
    bits = to_bits(roll, options)
    key_history = key_history_of(bits[..., 0], options.half_lives)[:-1]
    return BitPiece(bits, key_history, bar_clock(roll), bars_of(roll)[0])


@dataclasses.dataclass(frozen=True)
class BitLoader(WindowLoader):
    """Windows of `window` steps that begin on bar lines. Training windows are transposed at random."""

    options: BiaxialOptions

    def inputs(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        semitones = self.options.transpose
        return bit_inputs([(transposed(piece, semitones, rng), start) for piece, start in windows], self.window)

    def order(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator) -> np.ndarray:
        """A permutation in which the windows of a batch have similar lengths, so that little is padding.

        Every batch has the same weight in the loss, so every piece counts alike, whatever its length.
        """
        size = self.batch_size
        order, last = np.split(super().order(windows, rng), [len(windows) // size * size])
        steps = np.array([min(self.window, piece.steps - start) for piece, start in windows])
        pools = [order[i : i + POOL * size] for i in range(0, len(order), POOL * size)]
        by_length = [pool[np.argsort(steps[pool], kind="stable")].reshape(-1, size) for pool in pools]
        # Shuffled again: batches must not come sorted by length.
        batches = rng.permutation(np.concatenate(by_length)) if by_length else order
        return np.concatenate([batches.ravel(), last])  # the last batch may be smaller


def bit_inputs(windows: Sequence[tuple[BitPiece, int]], window: int) -> list[np.ndarray]:
    """The network's inputs for windows, given as (piece, start): see `Biaxial`.

    A window begins at the last bar line at or before its start. The batch is padded with silence to its longest window.
    """
    # Moved back to the bar line; a start beyond the end is a window of padding.
    cuts = [(piece, start - int(piece.bars[start]) if start < piece.steps else start) for piece, start in windows]
    longest = max(piece.steps - max(0, start) for piece, start in cuts)
    window = min(window, max(1, -(-longest // PAD_TO)) * PAD_TO)
    first = windows[0][0]
    bits, key_history, clock = (
        np.zeros((len(cuts), window, *array.shape[1:]), np.float32)
        for array in (first.bits, first.key_history, first.clock)
    )
    mask = np.zeros((len(cuts), window), np.float32)
    for i, (piece, start) in enumerate(cuts):
        steps = min(window, piece.steps - max(0, start))
        cut = slice(max(0, start), max(0, start) + steps)
        bits[i, :steps], key_history[i, :steps] = piece.bits[cut], piece.key_history[cut]
        clock[i, :steps], mask[i, :steps] = piece.clock[cut], 1
    return [bits, key_history, clock, mask]
