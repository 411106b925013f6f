"""The steps of piano rolls as words: each distinct set of keys in the music is a word.

A word is a tuple of keys. A key is a pitch for a note that begins, or 128 plus the pitch for a note that is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from music_composer.values import PITCHES, Roll

KEYS = 2 * PITCHES
Word = tuple[int, ...]


def keys_of(roll: Roll) -> np.ndarray:
    """The keys of each step, bool (steps, KEYS): onsets, then held notes. A held note without a note before begins."""
    before = np.concatenate([np.zeros_like(roll.active[:1]), roll.active[:-1]])
    onset = roll.active & (roll.onset | ~before)
    return np.concatenate([onset, roll.active & ~onset], axis=1)


def words_of(keys: np.ndarray) -> list[Word]:
    """The word of each step. keys: bool (steps, KEYS)."""
    return [tuple(np.flatnonzero(row).tolist()) for row in keys]


def vocabulary_of(rolls: Sequence[Roll], max_words: int) -> tuple[Word, ...]:
    """The most frequent words of the music, at most `max_words`, by falling frequency; silence always comes first."""
    counts = Counter(word for roll in rolls for word in words_of(keys_of(roll)))
    counts.pop((), None)
    # Equally frequent words are sorted by their keys: the vocabulary must not depend on the order of files.
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return ((), *frequent[: max_words - 1])


def table_of(words: Sequence[Sequence[int]]) -> np.ndarray:
    """The inverse of `words_of`: the keys of each word, bool (words, KEYS)."""
    table = np.zeros((len(words), KEYS), bool)
    for row, word in zip(table, words, strict=True):
        row[list(word)] = True
    return table
