"""What a step's past and future sound like, as rows whose products say how alike two moments are.

A view looks over some seconds before a moment (`near`, `far`, `long`) or after it (`after`). All of it is running sums,
so that a recording costs the same whatever the seconds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.steps import Steps
from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class ViewOptions:
    """Steps, unless said otherwise."""

    components: int = 20  # of the levels that are compared
    near: int = 4  # 0.1 s
    far: int = 43  # 1 s
    long: int = 129  # 3 s
    after: int = 14  # 0.3 s

    def __post_init__(self) -> None:
        if min(dataclasses.astuple(self)) < 1:
            raise OptionError(f"{self}: everything must be at least 1.")


@dataclasses.dataclass(frozen=True)
class Basis:
    """Levels to the components in which they are compared.

    mean: (bands,), dB. components: (bands, components); the first ones matter most, without being all.
    """

    mean: np.ndarray
    components: np.ndarray

    def __call__(self, levels: np.ndarray) -> np.ndarray:
        """(steps, bands) -> (steps, components), float32."""
        rows: np.ndarray = ((levels - self.mean) @ self.components).astype(np.float32)
        return rows


def basis_of(music: Sequence[Steps], options: ViewOptions) -> Basis:
    """Principal components of the levels of all the music, scaled by the fourth root of their share.

    There are as many as options.components, or as there are bands. Music that never changes gives a basis of zeros.
    """
    levels = np.concatenate([steps.levels for steps in music]).astype(np.float64)
    mean = levels.mean(axis=0)
    values, vectors = np.linalg.eigh((levels - mean).T @ (levels - mean) / max(1, len(levels) - 1))
    values, vectors = values[::-1][: options.components], vectors[:, ::-1][:, : options.components]
    alive = values > 1e-6 * max(values[0], 1e-6)
    scale = np.where(alive, (values / max(values[0], 1e-12)).clip(0.0) ** 0.25 / np.sqrt(values.clip(1e-12)), 0.0)
    return Basis(mean.astype(np.float32), (vectors * scale).astype(np.float32))


def views_of(rows: np.ndarray, options: ViewOptions) -> dict[str, np.ndarray]:
    """Of one recording's rows (steps, components): each view (steps, columns), float32, every row of length 1.

    `near`, `far` and `long` end with the step itself, `after` begins behind it. At the ends of a recording a view looks
    over what there is; behind the last step `after` sees that step. What is silent all along reads 0.
    """
    near = running_mean(rows, options.near)
    earlier = np.concatenate([np.repeat(near[:1], options.near, axis=0), near])[: len(near)]
    after = running_mean(rows[::-1], options.after)[::-1]
    views = {
        "near": np.concatenate([near, 0.5 * earlier], axis=1),
        "far": _mean_and_deviation(rows, options.far),
        "long": _mean_and_deviation(rows, options.long),
        "after": np.concatenate([after[1:], after[-1:]]),
    }
    return {name: unit(view) for name, view in views.items()}


def running_mean(rows: np.ndarray, width: int) -> np.ndarray:
    """(steps, columns): the mean of each row and the width - 1 before it, fewer at the beginning, float32."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    last = np.arange(1, len(rows) + 1)
    first = np.maximum(0, last - width)
    return ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    """Every row (.., columns) at length 1; rows of zeros stay as they are."""
    return rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + np.float32(1e-6))


def _mean_and_deviation(rows: np.ndarray, width: int) -> np.ndarray:
    mean = running_mean(rows, width)
    return np.concatenate([mean, np.sqrt(np.maximum(running_mean(rows**2, width) - mean**2, 0.0))], axis=1)
