"""Entries of a memory, the places where a run may begin, and how far runs may go from there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.analysis.views import running_mean
from music_composer.audio.memory.options import WalkOptions
from music_composer.errors import OptionError


def segments_of(firsts: np.ndarray, barred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the first and the last place of the segment around each place, which no run may leave."""
    cuts = np.union1d(firsts, np.flatnonzero(np.diff(barred)) + 1)
    return np.repeat(cuts[:-1], np.diff(cuts)), np.repeat(cuts[1:] - 1, np.diff(cuts))


def attacks_of(steps: Steps) -> np.ndarray:
    """Returns the strength of each onset peak, at the step before the peak; 0 elsewhere."""
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(steps.onsets, 2), 5).max(axis=1)
    peaks = np.where(steps.onsets == highest, steps.onsets, np.float32(0.0))
    return np.append(peaks[1:], np.float32(0.0))


def entries_of(
    first: np.ndarray,
    last: np.ndarray,
    attacks: np.ndarray,
    audible: np.ndarray,
    barred: np.ndarray,
    per_second: float,
    options: WalkOptions,
) -> np.ndarray:
    """Returns the places where a run may begin: onsets and places between them, with room for two runs after them.

    Where there are none, the conditions are dropped in turn: room, sound, and all but barring. Raises OptionError when
    every place is barred.
    """
    place = np.arange(len(first))
    inside, room = place - first >= 2, last - place
    picked = (attacks > options.onset) | (place % options.between == 0)
    # Each condition in turn is weaker than the one before.
    for able in (
        audible & inside & picked & (room >= 2 * round(options.least * per_second)),
        audible & (room >= 3),
        room >= 3,
        room >= 0,
    ):
        if (able & ~barred).any():
            return np.flatnonzero(able & ~barred)
    raise OptionError("a memory without any place that may be played")  # the prompt is never barred


def loudest_in(steps: Sequence[Steps], firsts: np.ndarray, width: int) -> int:
    """Returns the last place of the loudest `width` consecutive steps."""
    best, found = -np.inf, 0
    for each, first in zip(steps, firsts[:-1], strict=True):
        power = running_mean(np.exp(each.levels * np.float32(np.log(10.0) / 10.0)).sum(axis=1, keepdims=True), width)
        power = power[min(width, len(power)) - 1 :, 0]
        if power.max() > best:
            best, found = float(power.max()), int(first + min(width, len(each)) - 1 + power.argmax())
    return found
