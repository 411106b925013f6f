"""Views: what the past and the future of a step sound like, as rows whose products say how alike two moments are.

A view covers some seconds before a moment (`near`, `far`, `long`), after it (`after`) or around it (`mood`), or the
onsets before it (`pattern`) or after it (`coming`). Means are running sums, so longer views cost nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.steps import Steps
from music_composer.errors import OptionError

PAST = ("near", "far", "long")


@dataclasses.dataclass(frozen=True)
class ViewOptions:
    """Lengths of the views in steps, unless said otherwise."""

    components: int = 20  # of the levels
    near: int = 4  # 0.1 s
    far: int = 43  # 1 s
    long: int = 129  # 3 s
    after: int = 14  # 0.3 s
    mood: int = 215  # 5 s, to either side
    pattern: int = 172  # 4 s of onsets
    coming: int = 60  # 1.4 s of onsets

    def __post_init__(self) -> None:
        if min(dataclasses.astuple(self)) < 1:
            raise OptionError(f"{self}: everything must be at least 1.")


@dataclasses.dataclass(frozen=True)
class Basis:
    """The projection of levels to the components in which they are compared.

    mean: (bands,), dB. components: (bands, components); the first ones weigh most.
    """

    mean: np.ndarray
    components: np.ndarray

    def __call__(self, levels: np.ndarray) -> np.ndarray:
        """Levels (steps, bands) -> rows (steps, components), float32."""
        rows: np.ndarray = ((levels - self.mean) @ self.components).astype(np.float32)
        return rows


def basis_of(music: Sequence[Steps], options: ViewOptions) -> Basis:
    """Returns principal components of all levels, scaled by the fourth root of their variance.

    There are options.components of them, or as many as there are bands. Music that never changes gives a basis of
    zeros.
    """
    count = sum(len(steps) for steps in music)
    mean = sum(steps.levels.sum(axis=0, dtype=np.float64) for steps in music) / max(1, count)
    scatter = np.zeros((len(mean), len(mean)))
    for steps in music:
        scatter += (centred := steps.levels - mean).T @ centred
    values, vectors = np.linalg.eigh(scatter / max(1, count - 1))
    values, vectors = values[::-1][: options.components], vectors[:, ::-1][:, : options.components]
    # Directions without variance would be amplified to noise.
    alive = values > 1e-6 * max(values[0], 1e-6)
    scale = np.where(alive, (values / max(values[0], 1e-12)).clip(0.0) ** 0.25 / np.sqrt(values.clip(1e-12)), 0.0)
    return Basis(mean.astype(np.float32), (vectors * scale).astype(np.float32))


def past_views(rows: np.ndarray, options: ViewOptions, at: np.ndarray) -> dict[str, np.ndarray]:
    """Returns `near`, `far` and `long` of the steps `at`, float32 (any, columns) each, rows of length 1.

    rows: (steps, components) of one recording. A view ends with the step itself and begins no earlier than the
    recording. A silent past reads 0.
    """
    earlier = np.maximum(at - options.near, 0)
    near, before = running_mean(rows, options.near, at), running_mean(rows, options.near, earlier)
    return {
        "near": unit(np.concatenate([near, 0.5 * before], axis=1)),
        "far": unit(_mean_and_deviation(rows, options.far, at)),
        "long": unit(_mean_and_deviation(rows, options.long, at)),
    }


def after_view(rows: np.ndarray, options: ViewOptions) -> np.ndarray:
    """Returns `after` of every step, (steps, components). It begins behind the step; the last step sees itself."""
    after = running_mean(rows[::-1], options.after)[::-1]
    return unit(np.concatenate([after[1:], after[-1:]]))


def mood_view(rows: np.ndarray, options: ViewOptions, at: np.ndarray) -> np.ndarray:
    """Returns `mood` of the steps `at`, (any, components): the music around them."""
    before = running_mean(rows, options.mood, at)
    return unit(before + running_mean(rows[::-1], options.mood, len(rows) - 1 - at))


def onset_view(onsets: np.ndarray, at: np.ndarray, first: int, width: int) -> np.ndarray:
    """Returns `width` onsets of one recording, from `first` steps after each of the steps `at` on.

    The result is float32 (any, width), rows of mean 0 and, where there are onsets, of length 1. There are no onsets
    outside of the recording.
    """
    # Room on both sides for windows that begin before or end after the recording.
    padded = np.pad(onsets, width + abs(first))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[at + first + width + abs(first)]
    return beat(windows)


def beat(windows: np.ndarray) -> np.ndarray:
    """Normalizes onsets (.., steps) for comparison: mean 0, length 1."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    pattern: np.ndarray = (centred / (np.linalg.norm(centred, axis=-1, keepdims=True) + 1e-3)).astype(np.float32)
    return pattern


def running_mean(rows: np.ndarray, width: int, at: np.ndarray | None = None) -> np.ndarray:
    """Returns the mean of each row and the width - 1 rows before it, fewer at the beginning: float32 (steps, columns).

    at: the rows to compute; None for all.
    """
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    last = np.arange(1, len(rows) + 1) if at is None else at + 1
    first = np.maximum(0, last - width)
    return ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    """Scales every row (.., columns) to length 1; rows of zeros stay."""
    norms = np.sqrt(np.einsum("...i,...i->...", rows, rows))[..., None]
    return rows / (norms + np.float32(1e-6))


def _mean_and_deviation(rows: np.ndarray, width: int, at: np.ndarray) -> np.ndarray:
    mean = running_mean(rows, width, at)
    return np.concatenate([mean, np.sqrt(np.maximum(running_mean(rows**2, width, at) - mean**2, 0.0))], axis=1)
