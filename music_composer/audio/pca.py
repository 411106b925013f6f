"""Steps of stacked frames to latents, and back: principal components, fitted by sums that can be merged.

Principal component analysis (Pearson 1901) of the covariance that the sums give. The sums of two parts of a dataset
add up to the sums of the whole, so parts can be read on different machines, and memory never grows with the music.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.spectrogram import to_steps
from music_composer.options import ModelOptions

ENOUGH_STEPS = 200_000  # 2 h of music: plenty for the covariance of a step
BLOCK_STEPS = 4096  # summed at a time
RANGE_STEPS = 20_000  # steps that the ranges are read from
OUTLIERS = 0.01  # share of the latents beyond either end of a component's range
LOUD_OUTLIERS = 0.005  # share of the steps in which a band is louder than its ceiling


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over steps: how many, of x (size,), and of x x' (size, size), float64."""

    count: int
    total: np.ndarray
    products: np.ndarray


@dataclasses.dataclass(frozen=True)
class Encoding:
    """latents = (steps - mean) @ forward; steps = latents @ backward + mean.

    mean (size,), forward (size, components), backward (components, size), float32.
    deviations: (components,), of the latents, falling; their mean square is 1.
    low, high: (components,), the range that the latents of the music keep to but for a few outliers.
    ceiling: (size,), what its decoded steps stay below but for a few outliers.
    """

    mean: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    deviations: np.ndarray
    kept: float  # share of the variance that the components hold
    low: np.ndarray
    high: np.ndarray
    ceiling: np.ndarray


def fit_encoding(songs: Sequence[FrameArray], stack: int, components: int, tilt: float = ModelOptions.tilt) -> Encoding:
    """Principal components of the steps of all songs, each (frames, channels, bands), read block by block."""
    moments = merge(moments_of(block) for block in fitting_blocks(songs, stack))
    fitted = principal_components(moments, components, tilt)
    every = -(-moments.count // RANGE_STEPS)
    latents = np.concatenate([encode(block[::every], fitted) for block in fitting_blocks(songs, stack)])
    low, high = np.quantile(latents, [OUTLIERS, 1 - OUTLIERS], axis=0).astype(np.float32)
    ceiling = np.quantile(decode(latents, fitted), 1 - LOUD_OUTLIERS, axis=0).astype(np.float32)
    return dataclasses.replace(fitted, low=low, high=high, ceiling=ceiling)


def fitting_blocks(songs: Sequence[FrameArray], stack: int) -> Iterator[np.ndarray]:
    """The steps (steps, size) of all songs, each (frames, channels, bands), read block by block.

    Where there is very much music, blocks are taken evenly from all of it.
    """
    length = BLOCK_STEPS * stack
    places = [(song, at) for song in songs for at in range(0, len(song) - stack + 1, length)]
    places = places[:: max(1, len(places) * BLOCK_STEPS // ENOUGH_STEPS)]
    return (to_steps(song[at : at + length], stack) for song, at in places)


def moments_of(steps: np.ndarray) -> Moments:
    """Sums over the rows of `steps`, shape (steps, size)."""
    x = steps.astype(np.float32)
    return Moments(len(x), x.sum(axis=0, dtype=np.float64), (x.T @ x).astype(np.float64))


def merge(parts: Iterable[Moments]) -> Moments:
    """The sums of all parts together."""
    rest = iter(parts)
    first = next(rest)
    count, total, products = first.count, first.total.copy(), first.products.copy()
    for part in rest:
        count += part.count
        total += part.total
        products += part.products
    return Moments(count, total, products)


def principal_components(moments: Moments, components: int, tilt: float = ModelOptions.tilt) -> Encoding:
    """The directions of largest variance, `components` of them or as many as there are.

    The deviations of their latents are the power `tilt` of their own, times what makes the mean square 1. A flow
    settles first what stands out of its noise most. Were all latents alike, chord and hiss would be settled at one
    moment, and out of many chords would come their mean; so they keep some of their slope, as pictures have theirs
    (Dieleman 2024, "Diffusion is spectral autoregression").

    Directions whose variance is below a millionth of the largest carry rounding only; their latents stay near zero
    instead of being blown up.
    """
    mean = moments.total / moments.count
    covariance = moments.products / moments.count - np.outer(mean, mean)
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances[::-1], 0)
    directions = directions[:, ::-1][:, :components]
    # A direction's sign is arbitrary and may differ between LAPACKs: the largest entry is made positive.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    deviations = np.sqrt(np.maximum(variances[:components], 1e-6 * max(variances[0], 1e-12)))
    kept = deviations**tilt
    scales = kept / np.sqrt(np.mean(kept**2))
    return Encoding(
        mean.astype(np.float32),
        (directions * (scales / deviations)).astype(np.float32),
        (directions * (deviations / scales)).T.astype(np.float32),
        scales.astype(np.float32),
        float(variances[:components].sum() / max(variances.sum(), 1e-12)),
        low=np.full(directions.shape[1], -np.inf, np.float32),
        high=np.full(directions.shape[1], np.inf, np.float32),
        ceiling=np.full(len(mean), np.inf, np.float32),
    )


def encode(steps: np.ndarray, encoding: Encoding) -> np.ndarray:
    """(..., size) -> (..., components)."""
    return (steps - encoding.mean) @ encoding.forward


def decode(latents: np.ndarray, encoding: Encoding) -> np.ndarray:
    """(..., components) -> (..., size)."""
    return latents @ encoding.backward + encoding.mean
