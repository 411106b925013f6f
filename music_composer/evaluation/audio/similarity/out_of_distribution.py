"""Detects prompts unlike all recordings of a memory, which nothing in the memory could continue.

Half seconds are described by the mean and the deviation of their levels, less their own mean, so that loudness does not
matter. The distance of two pieces is the energy distance of their half seconds (see `adherence`), in coordinates in
which the recordings of the memory have unit covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import OptionError
from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.adherence import RANGE_DB, energy_distance


@dataclass(frozen=True)
class OutOfDistributionOptions:
    """What is compared, and the bound beyond which a prompt is out of distribution."""

    window_seconds: float = 0.5
    windows: int = 120  # of a recording, at equal distances; the last ones of a prompt
    min_windows: int = 10  # a shorter prompt is not judged
    components: int = 24
    recordings: int = 12  # compared with each other at most, because each prompt waits for it
    quantile: float = (
        0.9  # of how far pieces of recordings, as long as the prompt, are from the nearest other recording
    )
    times: float = 1.5  # of that quantile: the bound
    least: float = 1.0  # smallest bound, however alike the recordings are
    alone: float = 3.0  # the bound where there are fewer than three recordings

    def __post_init__(self) -> None:
        if self.min_windows < 2 or self.windows < self.min_windows or self.recordings < 3:
            raise OptionError(f"{self}: needs at least 2 windows, no more than all, and at least 3 recordings.")


def distance_ratio(
    prompt: Array,
    remembered: Sequence[Array],
    per_second: float,
    options: OutOfDistributionOptions = OutOfDistributionOptions(),
) -> float:
    """Returns the distance of a prompt to the most similar recording, over the bound.

    Above 1 the prompt is out of distribution. prompt, remembered: levels (steps, bands), dB. Returns 0 for a prompt
    that is too short to be judged.
    """
    size = max(1, round(options.window_seconds * per_second))
    windows_of_prompt = _windows(prompt[-options.windows * size :], size, options.windows)
    able = [levels for levels in remembered if len(levels) >= options.min_windows * size]
    if len(windows_of_prompt) < options.min_windows or not able:
        return 0.0
    library = [_windows(levels, size, options.windows) for levels in able]
    together = np.concatenate(library)
    values, vectors = np.linalg.eigh(np.cov(together.T))
    kept = np.flatnonzero(values > 1e-6 * max(values[-1], 1e-6))[-options.components :]
    mean, scale = together.mean(axis=0), vectors[:, kept] / np.sqrt(values[kept])
    library = [(each - mean) @ scale for each in library]
    if len(able) < 3:
        return _nearest((windows_of_prompt - mean) @ scale, library) / options.alone
    usual = []
    # How far the recordings are from each other says how far a prompt may be.
    for i in _evenly(len(able), options.recordings):
        others = [library[j] for j in _evenly(len(able), options.recordings) if j != i]
        for piece in _pieces(able[i], len(windows_of_prompt) * size):
            usual.append(_nearest((_windows(piece, size, options.windows) - mean) @ scale, others))
    bound = max(options.least, options.times * float(np.quantile(usual, options.quantile)))
    return _nearest((windows_of_prompt - mean) @ scale, library) / bound


def _nearest(piece: Array, library: Sequence[Array]) -> float:
    """Returns the distance to the most similar recording, all (windows, components)."""
    return min(energy_distance(piece, each) for each in library)


def _pieces(levels: Array, length: int) -> list[Array]:
    """Returns the beginning, the middle and the end of a recording, as long as a prompt if possible."""
    room = max(0, len(levels) - length)
    return [levels[at : at + length] for at in sorted({0, room // 2, room})]


def _windows(levels: Array, size: int, most: int) -> NDArray[np.float64]:
    """Returns features of at most `most` windows of levels (steps, bands), at equal distances: (windows, 2 * bands)."""
    count = len(levels) // size
    at = _evenly(count, most)
    if not count:
        return np.zeros((0, 2 * levels.shape[1]))
    taken = levels[: count * size].reshape(count, size, -1)[at].astype(np.float64)
    taken = np.maximum(taken, levels.max() - RANGE_DB)
    means = taken.mean(axis=1)
    return np.concatenate([means - means.mean(axis=1, keepdims=True), taken.std(axis=1)], axis=1)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """Returns at most `most` indices below `count`, evenly spaced."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)
