"""Music as a memory compares it: steps of 23 ms with the levels of their bands and an onset strength.

Steps are made from the frames of the cache, so that no recording is decoded twice.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.errors import OptionError

DECIBELS = 20.0 / np.log(10.0)  # in a unit of natural log-magnitude
AT_ONCE = 8192  # frames pooled together
SMOOTHING = np.hanning(7)[1:-1] / np.hanning(7).sum()  # frames: onsets 12 ms apart are heard as one


@dataclasses.dataclass(frozen=True)
class StepOptions:
    """Parameters of a step. Steps compare only under equal options."""

    frames: int = 2  # in a step
    pooled: int = 3  # neighbouring bands pooled to one
    range_db: float = 60.0  # levels further below a recording's loudest are raised to this
    usual: float = 95.0  # percentile of a recording's onsets that has strength 1
    strongest: float = 2.0  # largest strength of an onset

    def __post_init__(self) -> None:
        if min(self.frames, self.pooled) < 1 or not 0.0 < self.usual <= 100.0:
            raise OptionError(f"{self}: counts must be at least 1, and usual a percentile.")
        if min(self.range_db, self.strongest) <= 0.0:
            raise OptionError(f"{self}: range_db and strongest must be above 0.")


@dataclasses.dataclass(frozen=True)
class Steps:
    """The steps of one recording.

    levels: float32 (steps, bands), dB re a full-scale sine. onsets: float32 (steps,), 0 where nothing begins.
    """

    levels: np.ndarray
    onsets: np.ndarray

    def __len__(self) -> int:
        return len(self.levels)


def steps_of(bands: np.ndarray, options: StepOptions) -> Steps:
    """Returns the steps of a recording. bands: (frames, channels, bands), natural log-magnitudes; channel 0 is used.

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
    """Returns the onset strength of each step (steps,): positive spectral flux of levels (frames, bands)."""
    if not len(levels):
        return np.zeros(0, np.float32)
    rise = np.maximum(np.diff(levels, axis=0, prepend=levels[:1]), 0.0).mean(axis=1, dtype=np.float64)
    smooth = np.convolve(rise, SMOOTHING, mode="same")[: len(rise)]
    strength = smooth.reshape(-1, options.frames).max(axis=1)
    usual = max(float(np.percentile(strength, options.usual)), 1e-3)
    return np.minimum(strength / usual, options.strongest).astype(np.float32)
