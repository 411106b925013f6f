"""Measures how long the recordings of an album run along each other. A continuation may share that much with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.guard import GuardOptions, followed, shapes_of

SECONDS = 30.0  # from the middle of a recording, which are searched for in all others
SOUGHT = 24  # recordings at most, at equal distances
SAME = 0.9  # share of an excerpt; a longer run means that a recording is a copy, which says nothing
AT_ONCE = 32  # steps


def shared_run(recordings: Sequence[Sequence[Steps]], per_second: float, options: GuardOptions) -> float:
    """Returns the median, over recordings, of the longest run in seconds along another recording. Copies are left out.

    recordings: the parts of each. per_second: steps. The result is 0 where there is nothing to compare.
    """
    shapes = [[shapes_of(part.levels, options) for part in parts] for parts in recordings]
    count, runs = min(SOUGHT, len(shapes)), []
    for i in (k * len(shapes) // count for k in range(count)):
        excerpt = _middle(max(shapes[i], key=len), round(SECONDS * per_second))
        others = [part for j, parts in enumerate(shapes) if j != i for part in parts]
        if len(excerpt) and any(map(len, others)):
            longest = _longest(excerpt, others, options)
            runs += [longest] if longest < SAME * len(excerpt) else []
    return float(np.median(runs)) / per_second if runs else 0.0


def _middle(rows: np.ndarray, count: int) -> np.ndarray:
    first = max(0, (len(rows) - count) // 2)
    return rows[first : first + count]


def _longest(excerpt: np.ndarray, others: Sequence[np.ndarray], options: GuardOptions) -> int:
    """Returns the steps of the longest run of an excerpt along any of the others."""
    shapes, firsts = np.concatenate(others), np.cumsum([0, *(len(each) for each in others)])[:-1]
    runs, longest = np.zeros(len(shapes), np.int16), 0
    # In chunks, because `followed` returns a row of all places for each step.
    for first in range(0, len(excerpt), AT_ONCE):
        played = excerpt[first : first + AT_ONCE]
        found = followed(runs, played, shapes, firsts, np.arange(len(played)), options)
        runs, longest = found[-1], max(longest, int(found.max()))
    return longest
