"""Measures of symbolic music over segments of four bars, and the overlap of their distributions.

The measures are those of MusPy (Dong et al. 2020) and MusDr (Wu & Yang 2020); the overlap is that of Yang & Lerch
(2020, "On the evaluation of generative models in music"). Segments make pieces of any length comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from music_composer.symbolic.roll import bars_of
from music_composer.symbolic.scales import SCALES
from music_composer.values import OCTAVE, Roll

BARS = 4  # in a segment
METRICS = MappingProxyType(
    {  # each with the smallest audible difference: the least width of its kernels
        "polyphony": 0.1,  # simultaneous notes in steps that are not silent
        "pitch range": 1.0,  # semitones from the lowest to the highest note
        "pitch-class entropy": 0.1,  # bits, over onsets
        "scale consistency": 0.02,  # largest share of onsets within one scale, major or natural minor
        "groove consistency": 0.02,  # share of steps at which two successive bars agree on whether notes begin
        "empty bars": 0.05,  # share of the bars
        "note duration": 0.05,  # mean, in quarter notes
    }
)
POINTS = 512  # at which a density is evaluated


def measure(roll: Roll) -> np.ndarray:
    """The measures of each segment, (segments, metrics) in the order of METRICS; NaN where one is undefined.

    A shorter rest at the end is not measured.
    """
    edges = np.append(np.flatnonzero(bars_of(roll)[0] == 0), roll.steps)
    durations = _durations(roll)
    rows = [_measure(roll, durations, edges[i : i + BARS + 1]) for i in range(0, len(edges) - BARS, BARS)]
    return np.array(rows).reshape(-1, len(METRICS))


def measure_all(rolls: Sequence[Roll]) -> np.ndarray:
    """The segments of all rolls, (segments, metrics)."""
    return np.concatenate([np.zeros((0, len(METRICS))), *map(measure, rolls)])


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """For each metric the overlap of two sets of segments; NaN where it is undefined in one of them."""
    columns = zip(first.T, second.T, METRICS.values(), strict=True)
    return np.array([overlap(one, other, min_width) for one, other, min_width in columns])


def overlap(first: np.ndarray, second: np.ndarray, min_width: float) -> float:
    """The area under both densities of two sets of numbers, 0 to 1.

    The densities use Gaussian kernels. Their width is that of Scott's rule for the smaller set, and at least
    `min_width`.
    """
    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    if not len(first) or not len(second):
        return float("nan")
    both = np.concatenate([first, second])
    # The smaller set decides: it has the noisier density.
    width = max(min_width, float(both.std()) * min(len(first), len(second)) ** -0.2)
    points = np.linspace(both.min() - 4 * width, both.max() + 4 * width, POINTS)
    densities = [np.exp(-(((points[:, None] - values) / width) ** 2) / 2).sum(axis=1) for values in (first, second)]
    one, other = (density / density.sum() for density in densities)
    return float(np.minimum(one, other).sum())


def _measure(roll: Roll, durations: np.ndarray, edges: np.ndarray) -> list[float]:
    """The measures of one segment. edges: the steps of its bar lines, with the end of the last bar."""
    segment = slice(edges[0], edges[-1])
    active, onset = roll.active[segment], roll.onset[segment]
    polyphony = active.sum(axis=1)
    pitches = np.flatnonzero(active.any(axis=0))
    if not len(pitches):
        return [np.nan, np.nan, np.nan, np.nan, np.nan, 1.0, np.nan]
    bars = [np.any(onset[first:last], axis=1) for first, last in _pairs(edges - edges[0])]
    empty = [not active[first:last].any() for first, last in _pairs(edges - edges[0])]
    begun = durations[segment][onset]
    return [
        float(polyphony[polyphony > 0].mean()),
        float(pitches[-1] - pitches[0]),
        *_harmony(onset),
        _groove(bars),
        float(np.mean(empty)),
        float(begun.mean()) / roll.per_quarter if len(begun) else np.nan,
    ]


def _harmony(onset: np.ndarray) -> tuple[float, float]:
    """The entropy of the pitch classes of onsets, in bits, and their largest share within one scale."""
    counts = np.bincount(np.nonzero(onset)[1] % OCTAVE, minlength=OCTAVE)
    if not counts.any():
        return np.nan, np.nan
    shares = counts / counts.sum()
    positive = shares[shares > 0]
    scale = np.isin(np.arange(OCTAVE), SCALES["major"])  # a natural minor scale has the notes of a major one
    in_scale = max(shares[np.roll(scale, root)].sum() for root in range(OCTAVE))
    return float(-(positive * np.log2(positive)).sum()), float(in_scale)


def _groove(bars: Sequence[np.ndarray]) -> float:
    """Groove consistency. bars: for each bar whether notes begin, bool (steps,). Only bars of equal length compare."""
    agreement = [np.mean(one == other) for one, other in zip(bars, bars[1:], strict=False) if len(one) == len(other)]
    return float(np.mean(agreement)) if agreement else np.nan


def _durations(roll: Roll) -> np.ndarray:
    """The length in steps of each note, at its onset, int (steps, 128)."""
    durations = np.zeros(roll.velocity.shape, np.int64)
    remaining = np.zeros(roll.velocity.shape[1], np.int64)
    # Backwards: the remaining length at each step is one more than at the next.
    for step in range(roll.steps - 1, -1, -1):
        remaining = np.where(roll.active[step], remaining + 1, 0)
        durations[step] = remaining
        remaining = np.where(roll.onset[step], 0, remaining)
    return durations


def _pairs(edges: np.ndarray) -> zip[tuple[int, int]]:
    return zip(edges[:-1], edges[1:], strict=True)
