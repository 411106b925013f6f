"""Cuts pieces into training windows, and collects these into batches."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def windows_in(length: int, window: int) -> int:
    """The fewest windows that cover a piece, at least one."""
    return max(1, -(-length // window))


def starts_of(length: int, window: int, rng: np.random.Generator) -> list[int]:
    """The starts of the fewest windows that cover a piece. Where neighbours overlap is random."""
    count = windows_in(length, window)
    surplus = max(0, count * window - length)
    # Each window but the first starts earlier than without overlap, by a random part of the surplus.
    earlier = np.sort(rng.integers(0, surplus + 1, count))
    earlier[0], earlier[-1] = 0, surplus
    return [max(0, i * window - int(earlier[i])) for i in range(count)]


@dataclasses.dataclass(frozen=True)
class WindowLoader(abc.ABC):
    """A data loader of windows. Pieces have a `length`; windows have `window` steps or events.

    Batches depend on (seed, epoch) alone, so that any epoch can be repeated.
    """

    training: Sequence[Any]
    validation: Sequence[Any]
    batch_size: int
    window: int

    @abc.abstractmethod
    def inputs(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        """The network's inputs for windows, given as (piece, start). The last array is the mask.

        rng: for random transposition in training; None for validation.
        """

    @property
    def batches(self) -> int:
        """Batches in an epoch."""
        return -(-sum(windows_in(piece.length, self.window) for piece in self.training) // self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        """The batches of an epoch, from number `first` on."""
        rng = np.random.default_rng([seed, 1, epoch])
        windows = [(piece, start) for piece in self.training for start in starts_of(piece.length, self.window, rng)]
        order = self.order(windows, rng)
        for number in range(first, self.batches):
            chosen = [windows[i] for i in order[number * self.batch_size : (number + 1) * self.batch_size]]
            yield [self.inputs(chosen, np.random.default_rng([seed, 2, epoch, number]))]

    def order(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator) -> np.ndarray:
        """A permutation of window indices; consecutive groups of `batch_size` form the batches."""
        return rng.permutation(len(windows))

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        """The validation batches, and how many steps or events count in each."""
        windows = [(piece, start) for piece in self.validation for start in range(0, piece.length, self.window)]
        for i in range(0, len(windows), self.batch_size):
            inputs = self.inputs(windows[i : i + self.batch_size], None)
            yield inputs, int(inputs[-1].sum())


def transposed(piece: Any, max_semitones: int, rng: np.random.Generator | None) -> Any:
    """The piece, transposed at random within its range; unchanged without a generator."""
    if rng is None:
        return piece
    possible = [shift for shift in range(-max_semitones, max_semitones + 1) if piece.fits(shift)]
    return piece.shifted(int(rng.choice(possible or [0])))


def stacked(windows: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The arrays of several windows as one batch."""
    return [np.stack(arrays) for arrays in zip(*windows, strict=True)]
