"""The unbiased squared maximum mean discrepancy (MMD) between two sets of windows.

Gretton et al. 2012 (JMLR 13, "A kernel two-sample test"), with a Gaussian kernel as wide as the median distance within
the training set; for music, Chung et al. 2025 (arXiv:2502.15602). It assumes no Gaussian distribution, and its expected
value does not depend on the number of windows. Sets from one source read zero on average, and may read below.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.signal.spectra import Array

MAX_WINDOWS = 4000  # of the training set, at equal distances: 33 minutes of half seconds
ROUND = 100.0  # factor of readings, which are small numbers


@dataclass(frozen=True)
class Kernel:
    """A training set to compare with.

    points: (windows, components), whitened. width: of the Gaussian. within: mean of the kernel over pairs of the set.
    """

    points: NDArray[np.float64]
    width: float
    within: float


def kernel_of(points: Array) -> Kernel:
    """Returns the kernel of whitened windows (windows, components) of a training set.

    Raises MusicComposerError for fewer than two windows.
    """
    if len(points) < 2:
        raise MusicComposerError(f"{len(points)} windows are too few to compare with: use more recordings.")
    chosen = np.asarray(points, np.float64)[:: -(-len(points) // MAX_WINDOWS)]
    squares = _square_distances(chosen, chosen)
    width = float(np.sqrt(np.median(squares[np.triu_indices(len(chosen), 1)])))
    # Where most windows are equal the median distance is 0, which would be a division by zero.
    kernel = Kernel(chosen, max(width, 1e-6), 0.0)
    total, pairs = _own_pairs(_values(kernel, chosen, chosen))
    return Kernel(chosen, kernel.width, total / pairs)


def discrepancy(kernel: Kernel, points: Array) -> float:
    """Returns 100 times the unbiased squared MMD of whitened windows (windows, components) to the training set."""
    return _reading(kernel, *_sums(kernel, [points]), np.ones(1))


def discrepancy_interval(
    kernel: Kernel, groups: Sequence[Array], rng: np.random.Generator, draws: int = 200
) -> tuple[float, float]:
    """Returns the 95 % percentile interval, drawing groups of windows with replacement (Efron 1979).

    Pairs of a window with itself, which arise when a group is drawn twice, are left out.
    """
    across, counts, pairs, cross = _sums(kernel, groups)
    picks = rng.integers(len(groups), size=(draws, len(groups)))
    weights = [np.bincount(pick, minlength=len(groups)).astype(float) for pick in picks]
    readings = [_reading(kernel, across, counts, pairs, cross, weight) for weight in weights]
    return float(np.percentile(readings, 2.5)), float(np.percentile(readings, 97.5))


def _sums(kernel: Kernel, groups: Sequence[Array]) -> tuple[Array, Array, Array, Array]:
    """Kernel sums between groups (groups, groups), windows (groups,), pairs (groups, groups), sums with training."""
    sizes = np.array([len(group) for group in groups], float)
    if sizes.sum() < 2:
        raise MusicComposerError(f"{int(sizes.sum())} windows are too few to measure: give longer or more recordings.")
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    points = np.concatenate([np.asarray(group, np.float64) for group in groups])
    values = _values(kernel, points, points)
    # Unbiased: no window is compared with itself.
    np.fill_diagonal(values, 0.0)
    across = np.add.reduceat(np.add.reduceat(values, ends[:-1], axis=0), ends[:-1], axis=1)
    cross = np.add.reduceat(_values(kernel, points, kernel.points).mean(axis=1), ends[:-1])
    return across, sizes, np.outer(sizes, sizes) - np.diag(sizes), cross


def _reading(kernel: Kernel, across: Array, counts: Array, pairs: Array, cross: Array, weights: Array) -> float:
    own = weights @ across @ weights / (weights @ pairs @ weights)
    return float(ROUND * (kernel.within + own - 2.0 * (weights @ cross) / (weights @ counts)))


def _own_pairs(values: Array) -> tuple[float, int]:
    """Returns the sum over pairs of different windows, and their number."""
    return float(values.sum() - np.trace(values)), len(values) * (len(values) - 1)


def _values(kernel: Kernel, a: Array, b: Array) -> NDArray[np.float64]:
    return np.exp(_square_distances(a, b) / (-2.0 * kernel.width**2))


def _square_distances(a: Array, b: Array) -> NDArray[np.float64]:
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2.0 * (a @ b.T)
    return np.maximum(np.asarray(squares, np.float64), 0.0)  # rounding makes some of them slightly negative
