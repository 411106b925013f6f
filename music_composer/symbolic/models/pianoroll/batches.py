"""Training batches of the piano-roll model: pieces as words, cut into windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.dataset.windows import WindowLoader, stacked
from music_composer.symbolic.key_history import key_history_of
from music_composer.symbolic.models.pianoroll.vocabulary import Word, keys_of, words_of
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class WordPiece:
    """A piece as words, with the context of each step.

    keys: bool (steps, KEYS). words: int (steps,), indices into the vocabulary; an unknown word has the vocabulary's
    length. key_history: float (steps, channels, 12), before each step. clock: float (steps, clock).
    """

    keys: np.ndarray
    words: np.ndarray
    key_history: np.ndarray
    clock: np.ndarray

    @property
    def steps(self) -> int:
        return len(self.words)

    length = steps


def to_piece(roll: Roll, indices: Mapping[Word, int], half_lives: Sequence[int]) -> WordPiece:
    """indices: of the words, from `word_indices`. half_lives: of the key history, in steps."""
    keys = keys_of(roll)
    words = np.array([indices.get(word, len(indices)) for word in words_of(keys)], np.int32)
    return WordPiece(keys, words, key_history_of(roll.active, half_lives)[:-1], bar_clock(roll))


def word_indices(options: PianorollOptions) -> dict[Word, int]:
    """The index of each word of the vocabulary."""
    return {tuple(word): index for index, word in enumerate(options.words)}


@dataclasses.dataclass(frozen=True)
class WordLoader(WindowLoader):
    """Windows of `window` steps. Pieces are not transposed: a vocabulary belongs to its keys."""

    def inputs(self, windows: Sequence[tuple[Any, int]], rng: np.random.Generator | None) -> list[np.ndarray]:
        return stacked([word_inputs(piece, start, self.window) for piece, start in windows])


def word_inputs(piece: WordPiece, start: int, window: int) -> list[np.ndarray]:
    """The network's inputs for a window of steps: see `Pianoroll`. A window beyond the end is padded with silence."""
    stop = min(start + window, piece.steps)
    keys_before = np.concatenate([np.zeros_like(piece.keys[:1]), piece.keys])[start:stop]
    arrays = [
        keys_before.astype(np.float32), piece.words[start:stop], piece.key_history[start:stop],
        piece.clock[start:stop], np.ones(stop - start, np.float32),
    ]  # fmt: skip
    padding = window - (stop - start)
    return [np.concatenate([array, np.zeros((padding, *array.shape[1:]), array.dtype)]) for array in arrays]
