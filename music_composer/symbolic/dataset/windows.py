"""Where pieces are cut into windows, and lessons made of them."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def windows_in(length: int, window: int) -> int:
    """The fewest windows that cover a piece; one at least."""
    return max(1, -(-length // window))


def starts_of(length: int, window: int, rng: np.random.Generator) -> list[int]:
    """Where the fewest windows that cover a piece begin; where they overlap is random."""
    count = windows_in(length, window)
    spare = max(0, count * window - length)
    early = np.sort(rng.integers(0, spare + 1, count))
    early[0], early[-1] = 0, spare
    return [max(0, i * window - int(early[i])) for i in range(count)]


@dataclasses.dataclass(frozen=True)
class WindowedLessons(abc.ABC):
    """Lessons of the training loop: windows of pieces, which have a `length`, in batches."""

    training: Sequence[Any]
    judged: Sequence[Any]
    batch_size: int
    window: int

    @abc.abstractmethod
    def inputs(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        """What the model is given for windows that begin at some places, the last of it how much each counts.

        rng: for what is changed at random in training; None for music that is judged by.
        """

    @property
    def batches(self) -> int:
        return -(-sum(windows_in(piece.length, self.window) for piece in self.training) // self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        rng = np.random.default_rng([seed, 1, epoch])
        places = [(piece, at) for piece in self.training for at in starts_of(piece.length, self.window, rng)]
        order = self.order(places, rng)
        for number in range(first, self.batches):
            chosen = [places[i] for i in order[number * self.batch_size : (number + 1) * self.batch_size]]
            yield [self.inputs(chosen, np.random.default_rng([seed, 2, epoch, number]))]

    def order(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator) -> np.ndarray:
        """Numbers of the places, each once, as they come in an epoch: as many as a batch has are a batch."""
        return rng.permutation(len(places))

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        places = [(piece, at) for piece in self.judged for at in range(0, piece.length, self.window)]
        for i in range(0, len(places), self.batch_size):
            inputs = self.inputs(places[i : i + self.batch_size], None)
            yield inputs, int(inputs[-1].sum())


def transposed(piece: Any, most: int, rng: np.random.Generator | None) -> Any:
    """A piece, by as many semitones at random as it `fits`, `most` of them at most."""
    if rng is None:
        return piece
    return piece.shifted(int(rng.choice([shift for shift in range(-most, most + 1) if piece.fits(shift)] or [0])))


def stacked(windows: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The arrays of some windows as a batch."""
    return [np.stack(each) for each in zip(*windows, strict=True)]
