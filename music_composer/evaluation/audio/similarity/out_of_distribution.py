"""Whether a prompt is of another kind than all that is remembered, so that nothing there could go on with it.

Half seconds are described by the mean and the deviation of their levels, less their own mean, so that loudness does not
matter; the distance of two pieces is the energy distance of their half seconds (see `adherence`), in coordinates in
which those of all that is remembered have unit covariance.
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
class StrangeOptions:
    """What is compared, and from where on a prompt is said to be a stranger."""

    window_seconds: float = 0.5
    windows: int = 120  # of a recording, from everywhere; of a prompt its last ones
    least_windows: int = 10  # a prompt of fewer is not judged
    components: int = 24
    recordings: int = 12  # that are compared with each other, at most: each prompt waits for it
    quantile: float = (
        0.9  # of how far pieces of recordings, as long as the prompt, are from the nearest other recording
    )
    times: float = 1.5  # of that quantile: what is further away is a stranger
    least: float = 1.0  # distance below which nothing is, however alike the recordings are
    alone: float = 3.0  # the same where there are fewer than three recordings

    def __post_init__(self) -> None:
        if self.least_windows < 2 or self.windows < self.least_windows or self.recordings < 3:
            raise OptionError(f"{self}: needs at least 2 windows, no more than all, and at least 3 recordings.")


def strangeness(
    prompt: Array, remembered: Sequence[Array], per_second: float, options: StrangeOptions = StrangeOptions()
) -> float:
    """How far a prompt is from the recording that it is most like, over how far it may be: above 1 it is a stranger.

    prompt, remembered: levels (steps, bands), dB. 0 for what is too short to be judged.
    """
    size = max(1, round(options.window_seconds * per_second))
    heard = _windows(prompt[-options.windows * size :], size, options.windows)
    able = [levels for levels in remembered if len(levels) >= options.least_windows * size]
    if len(heard) < options.least_windows or not able:
        return 0.0
    library = [_windows(levels, size, options.windows) for levels in able]
    together = np.concatenate(library)
    values, vectors = np.linalg.eigh(np.cov(together.T))
    kept = np.flatnonzero(values > 1e-6 * max(values[-1], 1e-6))[-options.components :]
    mean, scale = together.mean(axis=0), vectors[:, kept] / np.sqrt(values[kept])
    library = [(each - mean) @ scale for each in library]
    if len(able) < 3:
        return _nearest((heard - mean) @ scale, library) / options.alone
    usual = []
    for i in _evenly(len(able), options.recordings):
        others = [library[j] for j in _evenly(len(able), options.recordings) if j != i]
        for piece in _pieces(able[i], len(heard) * size):
            usual.append(_nearest((_windows(piece, size, options.windows) - mean) @ scale, others))
    bound = max(options.least, options.times * float(np.quantile(usual, options.quantile)))
    return _nearest((heard - mean) @ scale, library) / bound


def _nearest(piece: Array, library: Sequence[Array]) -> float:
    """Its distance to the recording that it is most like, all (windows, components)."""
    return min(energy_distance(piece, each) for each in library)


def _pieces(levels: Array, length: int) -> list[Array]:
    """The beginning, the middle and the end of a recording, as long as a prompt where there is as much."""
    room = max(0, len(levels) - length)
    return [levels[at : at + length] for at in sorted({0, room // 2, room})]


def _windows(levels: Array, size: int, most: int) -> NDArray[np.float64]:
    """(windows, 2 * bands): at most so many windows of `size` steps, evenly from all of the levels (steps, bands)."""
    count = len(levels) // size
    at = _evenly(count, most)
    if not count:
        return np.zeros((0, 2 * levels.shape[1]))
    taken = levels[: count * size].reshape(count, size, -1)[at].astype(np.float64)
    taken = np.maximum(taken, levels.max() - RANGE_DB)
    means = taken.mean(axis=1)
    return np.concatenate([means - means.mean(axis=1, keepdims=True), taken.std(axis=1)], axis=1)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of `count` numbers."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)
