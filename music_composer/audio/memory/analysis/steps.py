"""Music as a memory compares it: steps of 23 ms, the levels of their bands and how strongly something begins there.

Steps are made from the frames that the cache holds, so that no recording is read twice.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.errors import OptionError

DECIBELS = 20.0 / np.log(10.0)  # in a unit of a natural log-magnitude
AT_ONCE = 8192  # frames that are pooled together
SMOOTHING = np.hanning(7)[1:-1] / np.hanning(7).sum()  # frames: nobody hears onsets 12 ms apart as two


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """What a step is made of. Steps compare only under equal options."""

    frames: int = 2  # that make a step
    pooled: int = 3  # neighbouring bands that make one
    range_db: float = 60.0  # levels further below a recording's loudest are not heard
    usual: float = 95.0  # percentile of a recording's onsets whose strength is 1
    strongest: float = 2.0  # strength of an onset, at most

    def __post_init__(self) -> None:
        if min(self.frames, self.pooled) < 1 or not 0.0 < self.usual <= 100.0:
            raise OptionError(f"{self}: counts must be at least 1, and usual a percentile.")
        if min(self.range_db, self.strongest) <= 0.0:
            raise OptionError(f"{self}: range_db and strongest must be above 0.")


@dataclasses.dataclass(frozen=True)
class Steps:
    """One recording.

    levels: float32 (steps, bands), dB re a full-scale sine. onsets: float32 (steps,), 0 where nothing begins.
    """

    levels: np.ndarray
    onsets: np.ndarray

    def __len__(self) -> int:
        return len(self.levels)


def steps_of(bands: np.ndarray, options: StepOptions) -> Steps:
    """The steps of a recording's frames: (frames, channels, bands), natural log-magnitudes, of which the first channel.

    Frames that do not fill a last step and bands that do not fill a last pool are left out.
    """
    steps, rows = len(bands) // options.frames, bands.shape[2] // options.pooled
    used = bands[: steps * options.frames, 0, : rows * options.pooled]
    levels = np.empty((len(used), rows), np.float32)
    for at in range(0, len(used), AT_ONCE):
        pools = used[at : at + AT_ONCE].astype(np.float32).reshape(-1, rows, options.pooled)
        power = np.mean(np.exp(2 * pools), axis=2) + np.finfo(np.float32).tiny
        levels[at : at + AT_ONCE] = DECIBELS / 2 * np.log(power)
    levels = np.maximum(levels, levels.max(initial=-np.inf) - options.range_db)
    return Steps(
        levels.reshape(steps, options.frames, rows).mean(axis=1).astype(np.float32),
        _onsets(levels, options),
    )


def _onsets(levels: np.ndarray, options: StepOptions) -> np.ndarray:
    """Of each step the strongest rise of its frames' levels (frames, bands) over all bands, (steps,)."""
    if not len(levels):
        return np.zeros(0, np.float32)
    rise = np.maximum(np.diff(levels, axis=0, prepend=levels[:1]), 0.0).mean(axis=1, dtype=np.float64)
    smooth = np.convolve(rise, SMOOTHING, mode="same")[: len(rise)]
    strength = smooth.reshape(-1, options.frames).max(axis=1)
    usual = max(float(np.percentile(strength, options.usual)), 1e-3)
    return np.minimum(strength / usual, options.strongest).astype(np.float32)
