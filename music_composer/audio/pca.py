"""Principal component analysis (Pearson 1901) of steps of stacked frames: steps to latents, and back.

The fit uses sums of the steps and of their products. Sums of two parts of a dataset add up to the sums of the whole, so
parts can be read on different machines, and memory does not grow with the music.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.options import ModelOptions
from music_composer.audio.spectrogram import to_steps

ENOUGH_STEPS = 200_000  # 2 h of music: plenty for the covariance of a step
BLOCK_STEPS = 4096  # steps summed at a time
RANGE_STEPS = 20_000  # steps from which the ranges are read
OUTLIERS = 0.01  # share of the latents outside either end of a component's range
LOUD_OUTLIERS = 0.005  # share of the steps in which a band exceeds its ceiling


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums over steps: their count, x (size,) and x x' (size, size), float64."""

    count: int
    total: np.ndarray
    products: np.ndarray


@dataclasses.dataclass(frozen=True)
class Encoding:
    """latents = (steps - mean) @ forward; steps = latents @ backward + mean.

    mean (size,), forward (size, components), backward (components, size), float32.
    deviations: (components,), of the latents, in falling order; their mean square is 1.
    low, high: (components,), the range of the latents of the music, without a few outliers.
    ceiling: (size,), the upper bound of its decoded steps, without a few outliers.
    """

    mean: np.ndarray
    forward: np.ndarray
    backward: np.ndarray
    deviations: np.ndarray
    kept: float  # share of the variance that the components hold
    low: np.ndarray
    high: np.ndarray
    ceiling: np.ndarray


def fit_encoding(
    songs: Sequence[FrameArray],
    frames_per_step: int,
    components: int,
    whitening_exponent: float = ModelOptions.whitening_exponent,
) -> Encoding:
    """Fits principal components to the steps of all songs, arrays (frames, channels, bands), read block by block."""
    moments = merge(moments_of(block) for block in fitting_blocks(songs, frames_per_step))
    every = -(-moments.count // RANGE_STEPS)
    mean, covariance = covariance_of(moments)
    del moments  # as large as the covariance, and the decomposition needs room for two more
    fitted = principal_components(mean, covariance, components, whitening_exponent)
    del covariance
    latents = np.concatenate([encode(block[::every], fitted) for block in fitting_blocks(songs, frames_per_step)])
    low, high = np.quantile(latents, [OUTLIERS, 1 - OUTLIERS], axis=0).astype(np.float32)
    decoded = decode(latents, fitted)
    ceiling = np.quantile(decoded, 1 - LOUD_OUTLIERS, axis=0, overwrite_input=True).astype(np.float32)
    return dataclasses.replace(fitted, low=low, high=high, ceiling=ceiling)


def fitting_blocks(songs: Sequence[FrameArray], frames_per_step: int) -> Iterator[np.ndarray]:
    """Yields the steps (steps, size) of all songs, arrays (frames, channels, bands), block by block.

    Of very much music it takes blocks at equal distances.
    """
    length = BLOCK_STEPS * frames_per_step
    places = [(song, at) for song in songs for at in range(0, len(song) - frames_per_step + 1, length)]
    places = places[:: max(1, len(places) * BLOCK_STEPS // ENOUGH_STEPS)]
    return (to_steps(song[at : at + length], frames_per_step) for song, at in places)


def moments_of(steps: np.ndarray) -> Moments:
    """Returns the sums over steps (steps, size)."""
    x = steps.astype(np.float32)
    # One block fits float32; only sums of many blocks need more digits.
    return Moments(len(x), x.sum(axis=0, dtype=np.float64), (x.T @ x).astype(np.float64))


def merge(parts: Iterable[Moments]) -> Moments:
    """Adds up the sums of several parts."""
    rest = iter(parts)
    first = next(rest)
    count, total, products = first.count, first.total.copy(), first.products.copy()
    for part in rest:
        count += part.count
        total += part.total
        products += part.products
    return Moments(count, total, products)


def covariance_of(moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean (size,) and the covariance (size, size) of the steps, float64."""
    mean = moments.total / moments.count
    return mean, moments.products / moments.count - np.outer(mean, mean)


def principal_components(
    mean: np.ndarray,
    covariance: np.ndarray,
    components: int,
    whitening_exponent: float = ModelOptions.whitening_exponent,
) -> Encoding:
    """Returns the directions of largest variance, `components` of them or as many as there are.

    mean (size,) and covariance (size, size): of the steps, float64. The covariance is overwritten.

    The deviation of a latent is its own deviation to the power `whitening_exponent`, scaled so that the mean square is
    1. A flow first settles what stands out most from its noise. If all latents were alike, chord and hiss would be
    settled at the same moment, and the mean of many chords would result. So latents keep part of their slope, as
    spectra of pictures do (Dieleman 2024, "Diffusion is spectral autoregression").

    Directions with less than a millionth of the largest variance carry only rounding errors; their latents stay near
    zero.
    """
    from scipy.linalg import eigh  # takes a moment, and only the fit needs it

    # As NumPy's, without its two copies. LAPACK wants columns, and a covariance is its own transpose.
    variances, directions = eigh(covariance.T, overwrite_a=True, check_finite=False, driver="evd")
    # `eigh` returns rising values; rounding can make the smallest ones negative.
    variances = np.maximum(variances[::-1], 0)
    directions = directions[:, ::-1][:, :components]
    # A direction's sign is arbitrary and may differ between LAPACKs: the largest entry is made positive.
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])])
    deviations = np.sqrt(np.maximum(variances[:components], 1e-6 * max(variances[0], 1e-12)))
    kept = deviations**whitening_exponent
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
    """steps (..., size) -> latents (..., components)."""
    return (steps - encoding.mean) @ encoding.forward


def decode(latents: np.ndarray, encoding: Encoding) -> np.ndarray:
    """latents (..., components) -> steps (..., size)."""
    steps = latents @ encoding.backward
    steps += encoding.mean  # in place: steps are many times as large as their latents
    return steps
