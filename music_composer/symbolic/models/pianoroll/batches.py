"""Pieces for the piano-roll model: what is heard before each step, and which word it is; in windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowedLessons, stacked
from music_composer.symbolic.key_history import heard_before
from music_composer.symbolic.models.pianoroll.vocabulary import Word, keys_of, words_of
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class WordPiece:
    """keys: bool (steps, KEYS). words: int (steps,), numbers in the vocabulary; what is not in it is its length.

    heard: float (steps, fades, 12), how much of each pitch class was heard before each step. clock: float (steps,
    clock).
    """

    keys: np.ndarray
    words: np.ndarray
    heard: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.words)

    length = steps


def to_lesson(roll: Roll, numbers: Mapping[Word, int], fades: Sequence[int]) -> WordPiece:
    """numbers: of the words, as `numbers_of` gives them."""
    keys = keys_of(roll)
    words = np.array([numbers.get(word, len(numbers)) for word in words_of(keys)], np.int32)
    return WordPiece(keys, words, heard_before(roll.sounding, fades)[:-1], bar_clock(roll))


def numbers_of(options: PianorollOptions) -> dict[Word, int]:
    return {tuple(word): number for number, word in enumerate(options.words)}


@dataclasses.dataclass(frozen=True)
class WordLessons(WindowedLessons):
    """Windows of `window` steps."""

    def inputs(self, places: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        return stacked([word_inputs(piece, at, self.window) for piece, at in places])


def word_inputs(piece: WordPiece, start: int, window: int) -> list[np.ndarray]:
    """last, word, heard, clock and weight, as the model takes them, of `window` steps, the rest filled up with silence.

    last: the keys of the step before each.
    """
    stop = min(start + window, piece.steps)
    last = np.concatenate([np.zeros_like(piece.keys[:1]), piece.keys])[start:stop]
    arrays = [
        last.astype(np.float32), piece.words[start:stop], piece.heard[start:stop], piece.clock[start:stop],
        np.ones(stop - start, np.float32),
    ]  # fmt: skip
    spare = window - (stop - start)
    return [np.concatenate([each, np.zeros((spare, *each.shape[1:]), each.dtype)]) for each in arrays]
