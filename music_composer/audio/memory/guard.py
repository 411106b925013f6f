"""The guard against copying: how long what is played has run along each place of a memory, across any jump.

It goes by what is heard and not by places. A run that is left for a moment and taken up again goes on, and so does one
that is taken up where the recording repeats itself.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.views import running_mean, unit
from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class GuardOptions:
    """When two steps are one."""

    alike: float = 0.96  # cosine of their shapes
    pooled: int = 2  # neighbouring bands that make one of a shape
    smoothed: int = 3  # steps that a shape is the mean of
    missed: float = 1.0  # steps that a run loses for each that is not alike
    every: int = 2  # steps from one that is compared to the next: each stands for so many

    def __post_init__(self) -> None:
        if not 0.0 < self.alike < 1.0 or min(self.pooled, self.smoothed, self.every) < 1 or self.missed <= 0.0:
            raise OptionError(f"{self}: alike must lie between 0 and 1, counts be at least 1 and missed above 0.")


def shapes_of(levels: np.ndarray, options: GuardOptions) -> np.ndarray:
    """Levels of one recording (steps, bands), dB -> (steps, bands // pooled), rows of length 1, however loud it is."""
    bands = levels.shape[1] // options.pooled * options.pooled
    pools = levels[:, :bands].reshape(len(levels), -1, options.pooled).mean(axis=2)
    return unit(running_mean(pools - pools.mean(axis=1, keepdims=True), options.smoothed))


def followed(
    runs: np.ndarray, played: np.ndarray, shapes: np.ndarray, firsts: np.ndarray, at: np.ndarray, options: GuardOptions
) -> np.ndarray:
    """The runs after some of the steps that are played.

    runs: float32 (places,), steps that what was played so far has run along each place of the memory, ending there.
    played: (steps, shape), what is played now. shapes: (places, shape) of the memory. firsts: the first place of each
    of its recordings. at: (any,), which of the steps are asked for, rising. Returns float32 (any, places).
    """
    wanted, found = {int(step): i for i, step in enumerate(at)}, np.empty((len(at), len(runs)), np.float32)
    alike = played[:: options.every] @ shapes.T > options.alike
    for step in range(int(at[-1]) + 1):
        row, off = alike[step // options.every], step % options.every
        if off:
            row = np.concatenate([np.zeros(off, bool), row[:-off]])  # along the same diagonal
        before = np.concatenate([np.zeros(1, np.float32), runs[:-1]])
        before[firsts] = 0.0
        runs = np.where(row, before + np.float32(1.0), np.maximum(before - np.float32(options.missed), 0.0))
        if step in wanted:
            found[wanted[step]] = runs
    return found
