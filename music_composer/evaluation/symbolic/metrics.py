"""What notes are like, in a few numbers: each measured over stretches of four bars, and compared as distributions.

The measures are those of MusPy (Dong et al. 2020) and MusDr (Wu & Yang 2020), the overlap that of Yang & Lerch (2020,
"On the evaluation of generative models in music"). Stretches make pieces of any length comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from music_composer.symbolic.roll import bars_of
from music_composer.symbolic.scales import SCALES
from music_composer.values import Roll

BARS = 4  # in a stretch
OCTAVE = 12
METRICS = MappingProxyType(
    {  # each with the least difference that one can hear: what is nearer counts as the same
        "polyphony": 0.1,  # notes at once, where there are any
        "pitch range": 1.0,  # semitones from the lowest to the highest
        "pitch-class entropy": 0.1,  # bits, over the notes that begin
        "scale consistency": 0.02,  # share of them that one scale, major or natural minor, holds
        "groove consistency": 0.02,  # share of the steps in which two bars in succession agree on whether notes begin
        "empty bars": 0.05,  # share of the bars
        "note duration": 0.05,  # quarters, mean
    }
)
POINTS = 512  # of a density


def measure(roll: Roll) -> np.ndarray:
    """Figures of each stretch, (stretches, metrics) in the order of METRICS; NaN where there is nothing to measure.

    What is left at the end and shorter than a stretch is not measured.
    """
    edges = np.append(np.flatnonzero(bars_of(roll)[0] == 0), roll.steps)
    durations = _durations(roll)
    rows = [_measure(roll, durations, edges[i : i + BARS + 1]) for i in range(0, len(edges) - BARS, BARS)]
    return np.array(rows).reshape(-1, len(METRICS))


def measure_all(rolls: Sequence[Roll]) -> np.ndarray:
    """The stretches of all rolls, (stretches, metrics)."""
    return np.concatenate([np.zeros((0, len(METRICS))), *map(measure, rolls)])


def overlaps(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each metric the area under both densities, 0 to 1; NaN where one of them has nothing to measure."""
    columns = zip(some.T, others.T, METRICS.values(), strict=True)
    return np.array([overlap(one, other, least) for one, other, least in columns])


def overlap(some: np.ndarray, others: np.ndarray, least: float) -> float:
    """The area under both densities of two sets of numbers, Gaussian kernels as wide as Scott's rule makes them for the
    smaller set, and at least `least`.
    """
    some, others = some[~np.isnan(some)], others[~np.isnan(others)]
    if not len(some) or not len(others):
        return float("nan")
    both = np.concatenate([some, others])
    width = max(least, float(both.std()) * min(len(some), len(others)) ** -0.2)
    places = np.linspace(both.min() - 4 * width, both.max() + 4 * width, POINTS)
    densities = [np.exp(-(((places[:, None] - set_) / width) ** 2) / 2).sum(axis=1) for set_ in (some, others)]
    first, second = (density / density.sum() for density in densities)
    return float(np.minimum(first, second).sum())


def _measure(roll: Roll, durations: np.ndarray, edges: np.ndarray) -> list[float]:
    """edges: where the bars of the stretch begin, and where the last one ends."""
    stretch = slice(edges[0], edges[-1])
    active, onset = roll.active[stretch], roll.onset[stretch]
    at_once = active.sum(axis=1)
    pitches = np.flatnonzero(active.any(axis=0))
    if not len(pitches):
        return [np.nan, np.nan, np.nan, np.nan, np.nan, 1.0, np.nan]
    bars = [np.any(onset[first:last], axis=1) for first, last in _pairs(edges - edges[0])]
    empty = [not active[first:last].any() for first, last in _pairs(edges - edges[0])]
    begun = durations[stretch][onset]
    return [
        float(at_once[at_once > 0].mean()),
        float(pitches[-1] - pitches[0]),
        *_harmony(onset),
        _groove(bars),
        float(np.mean(empty)),
        float(begun.mean()) / roll.per_quarter if len(begun) else np.nan,
    ]


def _harmony(onset: np.ndarray) -> tuple[float, float]:
    """Entropy of the pitch classes that begin, in bits, and the share that one scale holds."""
    counts = np.bincount(np.nonzero(onset)[1] % OCTAVE, minlength=OCTAVE)
    if not counts.any():
        return np.nan, np.nan
    shares = counts / counts.sum()
    some = shares[shares > 0]
    scale = np.isin(np.arange(OCTAVE), SCALES["major"])  # a natural minor scale is one of these too
    held = max(shares[np.roll(scale, root)].sum() for root in range(OCTAVE))
    return float(-(some * np.log2(some)).sum()), float(held)


def _groove(bars: Sequence[np.ndarray]) -> float:
    """bars: whether notes begin, bool (steps,) each. Bars of different lengths are not compared."""
    alike = [np.mean(one == other) for one, other in zip(bars, bars[1:], strict=False) if len(one) == len(other)]
    return float(np.mean(alike)) if alike else np.nan


def _durations(roll: Roll) -> np.ndarray:
    """Steps that each note lasts, at the place where it begins, int (steps, 128)."""
    lasting = np.zeros(roll.velocity.shape, np.int64)
    left = np.zeros(roll.velocity.shape[1], np.int64)
    for step in range(roll.steps - 1, -1, -1):
        left = np.where(roll.active[step], left + 1, 0)
        lasting[step] = left
        left = np.where(roll.onset[step], 0, left)
    return lasting


def _pairs(edges: np.ndarray) -> zip[tuple[int, int]]:
    return zip(edges[:-1], edges[1:], strict=True)
