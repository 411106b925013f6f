"""Adherence: whether a continuation is nearer to the true continuation of its own recording than to other music.

Half seconds are described by the sound of the mix at any level: mean and deviation of log-mel bands and the share of
each pitch class (see `features`). The distance of two pieces is the energy distance of their half seconds (Szekely and
Rizzo 2013, "Energy statistics", J. Stat. Plan. Inference 143, 1249-1272). It ignores order in time: the shuffled prompt
adheres as well as the real next part, so read it beside `pulse`, `boundaries` and `repetition`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.spatial.distance
import scipy.stats
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.similarity.features import windows_to_features
from music_composer.evaluation.audio.similarity.frechet_distance import (
    DistanceOptions,
    Reference,
    log_mel,
    reference_of,
)

Array = NDArray[np.floating[Any]]
PITCH_CLASSES = 12
RANGE_DB, LOWEST_DB = 60.0, -140.0  # a range below the loudest level, and a floor below any recording


@dataclass(frozen=True)
class Adherence:
    """The position of each continuation among the true parts of all recordings."""

    ranks: NDArray[np.float64]  # (n,): rank of the own true part by distance, from 1, ties halved; chance (n + 1) / 2
    ratios: NDArray[np.float64]  # (n,): distance to the own true part over the mean distance to the others; chance 1

    @property
    def nearest(self) -> float:
        """Share of continuations for which no true part is nearer than their own."""
        return float(np.mean(self.ranks == 1.0))

    @property
    def rank(self) -> float:
        """Mean rank; chance is (n + 1) / 2."""
        return float(self.ranks.mean())

    @property
    def ratio(self) -> float:
        """Mean ratio; chance is 1."""
        return float(self.ratios.mean())


@dataclass(frozen=True)
class Share:
    """Where a set of continuations lies between chance (0) and the real later part (1). It may lie outside of both."""

    rank: float
    ratio: float


def character(mono: Array, options: DistanceOptions) -> NDArray[np.float64]:
    """Returns features that distinguish half seconds of recordings at any level.

    mono: samples (n,) at options.rate. Shape: (windows, 2 * bands + 12): the means of the bands less their own mean,
    their deviations, both dB, and the pitch classes of `features`. An incomplete last window is left out. Levels
    further than RANGE_DB below the loudest are raised to that, so that neither gain nor dither matters.
    """
    pitch_classes = windows_to_features(mono, options)[:, -PITCH_CLASSES:]
    windows = len(pitch_classes)
    # A lower floor than the distance has, so that soft recordings are not cut off by it.
    levels = log_mel(mono, replace(options, floor_db=LOWEST_DB))[: windows * options.window_frames]
    levels = np.maximum(levels, levels.max(initial=LOWEST_DB) - RANGE_DB).reshape(
        windows, options.window_frames, options.bands
    )
    means = levels.mean(axis=1, dtype=np.float64)
    deviations = levels.std(axis=1, dtype=np.float64)
    return np.concatenate([means - means.mean(axis=1, keepdims=True), deviations, pitch_classes], axis=1)


def whitening_of(truths: Sequence[Array], options: DistanceOptions) -> Reference:
    """Returns coordinates in which all true parts together have unit covariance.

    truths: (windows, columns) of `character` each. Raises MusicComposerError for fewer windows than options.components
    + 1.
    """
    if not truths:
        raise MusicComposerError("No true parts to compare with: give at least two recordings.")
    return reference_of(np.concatenate(truths), options)


def energy_distance(one: Array, other: Array) -> float:
    """Returns 2 E|X - Y| - E|X - X'| - E|Y - Y'| of the rows of two arrays, (n, d) and (m, d), without self-pairs.

    It is unbiased, so pieces of different length compare. Two draws from one source read near 0, with any sign. Raises
    MusicComposerError for fewer than two rows.
    """
    if min(len(one), len(other)) < 2:
        raise MusicComposerError(f"{len(one)} and {len(other)} windows: at least two of each are needed.")
    between = scipy.spatial.distance.cdist(one, other).mean()
    within = [scipy.spatial.distance.pdist(rows).mean() for rows in (one, other)]
    return float(2.0 * between - sum(within))


def distances(made: Sequence[Array], truths: Sequence[Array], whitening: Reference) -> NDArray[np.float64]:
    """Returns the energy distance of each continuation to each true part: (continuations, true parts).

    made, truths: results of `character`.
    """
    ours, theirs = ([(each - whitening.mean) @ whitening.projection for each in side] for side in (made, truths))
    return np.array([[energy_distance(one, other) for other in theirs] for one in ours])


def adherence_of(matrix: Array) -> Adherence:
    """matrix: (n, n), the distance of continuation i to true part j. The diagonal holds their own.

    Raises MusicComposerError unless it is square, with at least two rows.
    """
    count = len(matrix)
    if matrix.shape != (count, count) or count < 2:
        raise MusicComposerError(f"Distances of shape {matrix.shape}: as many true parts as continuations are needed.")
    own = np.diagonal(matrix)
    others = (matrix.sum(axis=1) - own) / (count - 1)
    return Adherence(np.diagonal(scipy.stats.rankdata(matrix, axis=1)).copy(), own / others)


def share_of_the_way(made: Adherence, real: Adherence) -> Share:
    """Returns where `made` lies between chance and `real`, the parts after the true ones.

    NaN where real music itself is no better than chance.
    """

    def share(ours: float, theirs: float, chance: float) -> float:
        return (chance - ours) / (chance - theirs) if chance > theirs else float("nan")

    return Share(share(made.rank, real.rank, (len(made.ranks) + 1) / 2), share(made.ratio, real.ratio, 1.0))
