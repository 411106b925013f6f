"""How long the recordings of an album run along each other: what they share, a continuation may share with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.guard import GuardOptions, followed, shapes_of

SECONDS = 30.0  # of a recording, from its middle, that are sought in all others
SOUGHT = 24  # recordings, at most, evenly from all
SAME = 0.9  # of what is sought: who runs along another recording for so long is a copy of it, which says nothing
AT_ONCE = 32  # steps


def shared_run(recordings: Sequence[Sequence[Steps]], per_second: float, options: GuardOptions) -> float:
    """Seconds of the longest run of a recording along any other one that it is no copy of: the median.

    recordings: the parts of each. per_second: steps. Where there is nothing to compare nothing is known: 0.
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
    """Steps of the longest run of an excerpt along any of the others."""
    shapes, firsts = np.concatenate(others), np.cumsum([0, *(len(each) for each in others)])[:-1]
    runs, longest = np.zeros(len(shapes), np.int16), 0
    for first in range(0, len(excerpt), AT_ONCE):
        played = excerpt[first : first + AT_ONCE]
        found = followed(runs, played, shapes, firsts, np.arange(len(played)), options)
        runs, longest = found[-1], max(longest, int(found.max()))
    return longest
