"""The steps of a piano roll as words: each distinct set of notes, struck or held on, is one, as in the music.

A word is a tuple of keys: a pitch that is struck, or 128 more for one that is held on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from music_composer.symbolic.roll import PITCHES
from music_composer.values import Roll

KEYS = 2 * PITCHES
Word = tuple[int, ...]


def keys_of(roll: Roll) -> np.ndarray:
    """bool (steps, KEYS): what is struck, and what is held on. What sounds without having sounded before is struck."""
    before = np.concatenate([np.zeros_like(roll.sounding[:1]), roll.sounding[:-1]])
    struck = roll.sounding & (roll.struck | ~before)
    return np.concatenate([struck, roll.sounding & ~struck], axis=1)


def words_of(keys: np.ndarray) -> list[Word]:
    """bool (steps, KEYS) -> the word of each step."""
    return [tuple(np.flatnonzero(row).tolist()) for row in keys]


def vocabulary_of(rolls: Sequence[Roll], most: int) -> tuple[Word, ...]:
    """The words of some rolls, the most frequent first, `most` of them at most; silence is the first in any case."""
    counts = Counter(word for roll in rolls for word in words_of(keys_of(roll)))
    counts.pop((), None)
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return ((), *frequent[: most - 1])


def table_of(words: Sequence[Sequence[int]]) -> np.ndarray:
    """The inverse of `words_of`: bool (words, KEYS)."""
    table = np.zeros((len(words), KEYS), bool)
    for row, word in zip(table, words, strict=True):
        row[list(word)] = True
    return table
