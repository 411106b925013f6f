"""Pieces for the piano-roll model: what is heard before each step, and which word it is; in windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from music_composer.symbolic.frames import bar_clock
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.pianoroll.vocabulary import Word, keys_of, words_of
from music_composer.symbolic.windows import starts_of, windows_in
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class WordPiece:
    """keys: bool (steps, KEYS). words: int (steps,), numbers in the vocabulary; what is not in it is its length.

    clock: float (steps, clock).
    """

    keys: np.ndarray
    words: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.words)


def to_lesson(roll: Roll, numbers: Mapping[Word, int]) -> WordPiece:
    """numbers: of the words, as `numbers_of` gives them."""
    keys = keys_of(roll)
    words = np.array([numbers.get(word, len(numbers)) for word in words_of(keys)], np.int32)
    return WordPiece(keys, words, bar_clock(roll))


def numbers_of(options: PianorollOptions) -> dict[Word, int]:
    return {tuple(word): number for number, word in enumerate(options.words)}


@dataclasses.dataclass(frozen=True)
class WordLessons:
    """Windows of `window` steps."""

    training: Sequence[WordPiece]
    judged: Sequence[WordPiece]
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
            chosen = [places[i] for i in order[number * self.batch_size : (number + 1) * self.batch_size]]
            yield [_batch([word_inputs(piece, at, self.window) for piece, at in chosen])]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        windows = [
            word_inputs(piece, start, self.window)
            for piece in self.judged
            for start in range(0, piece.steps, self.window)
        ]
        for i in range(0, len(windows), self.batch_size):
            batch = windows[i : i + self.batch_size]
            yield _batch(batch), int(sum(window[-1].sum() for window in batch))


def word_inputs(piece: WordPiece, start: int, window: int) -> list[np.ndarray]:
    """heard, word, clock and weight, as the model takes them, of `window` steps, the rest filled up with silence.

    heard: the keys of the step before each.
    """
    stop = min(start + window, piece.steps)
    heard = np.concatenate([np.zeros_like(piece.keys[:1]), piece.keys])[start:stop]
    arrays = [
        heard.astype(np.float32), piece.words[start:stop], piece.clock[start:stop],
        np.ones(stop - start, np.float32),
    ]  # fmt: skip
    spare = window - (stop - start)
    return [np.concatenate([each, np.zeros((spare, *each.shape[1:]), each.dtype)]) for each in arrays]


def _batch(windows: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.stack(each) for each in zip(*windows, strict=True)]
