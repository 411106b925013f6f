"""Places of a memory at which a run may be entered, and how far it may go from there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.analysis.views import running_mean
from music_composer.audio.memory.options import WalkOptions
from music_composer.errors import OptionError


def stretches_of(firsts: np.ndarray, barred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each place the first and the last one of the stretch that no run may leave."""
    cuts = np.union1d(firsts, np.flatnonzero(np.diff(barred)) + 1)
    return np.repeat(cuts[:-1], np.diff(cuts)), np.repeat(cuts[1:] - 1, np.diff(cuts))


def attacks_of(steps: Steps) -> np.ndarray:
    """The strength of each peak among the onsets, a step before it."""
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
    """Places at which a run may be entered: at onsets and here and there between, with room for two runs behind them.

    Where there are none, the rules are given up one by one: the room, the sound, and all but what is barred.
    """
    place = np.arange(len(first))
    inside, room = place - first >= 2, last - place
    picked = (attacks > options.onset) | (place % options.between == 0)
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
    """The last place of the `width` steps that are loudest together."""
    best, found = -np.inf, 0
    for each, first in zip(steps, firsts[:-1], strict=True):
        power = running_mean(np.exp(each.levels * np.float32(np.log(10.0) / 10.0)).sum(axis=1, keepdims=True), width)
        power = power[min(width, len(power)) - 1 :, 0]
        if power.max() > best:
            best, found = float(power.max()), int(first + min(width, len(each)) - 1 + power.argmax())
    return found
