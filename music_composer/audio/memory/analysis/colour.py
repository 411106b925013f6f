"""Brings training music nearer to the sound of the prompt, by a slow filter on its mean spectrum."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.fft
import scipy.ndimage

from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.analysis.views import running_mean
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import band_centres
from music_composer.errors import OptionError

BRIGHT_HZ = 4000.0  # above which sound counts as bright
SILENCE_DB = -50.0  # re the loudest music without outliers; quieter half seconds have no brightness
SMOOTHING = np.hanning(9)[1:-1] / np.hanning(9).sum()  # over neighbouring bands


@dataclasses.dataclass(frozen=True)
class ColourOptions:
    """Strength and speed of the filter."""

    # Without colour the result is farther from the training music and from the prompt.
    strength: float = 0.8  # 0 leaves the music as it is, 1 gives it the prompt's mean spectrum
    around: float = 8.0  # seconds on either side that a mean covers
    aim_seconds: float = 20.0  # seconds of the prompt's end whose mean spectrum is the aim
    outliers: float = 0.01  # share of the music's half seconds that are louder or brighter than the filter makes any
    most_db: float = 9.0  # dB, largest gain of a band before the strength
    margin: int = 2048  # samples that the filter reaches, to either side

    def __post_init__(self) -> None:
        if (
            not 0.0 <= self.strength <= 1.0
            or not 0.0 <= self.outliers < 1.0
            or min(self.around, self.aim_seconds, self.margin) <= 0
            or self.most_db < 0.0
        ):
            raise OptionError(f"{self}: strength and outliers must lie between 0 and 1, and the others be above 0.")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the filter makes no music exceed. loudest: dB, see `loudness`. brightest: see `brightness`."""

    loudest: float
    brightest: float


@dataclasses.dataclass(frozen=True)
class Colour:
    """The filter towards a prompt.

    aim: (bands,), dB. centres: (bands,), Hz. per_second: steps. rate: samples a second.
    """

    aim: np.ndarray
    limits: Limits
    centres: np.ndarray
    per_second: float
    rate: int
    options: ColourOptions

    def gains(self, levels: np.ndarray) -> np.ndarray:
        """Returns the gains of one recording's levels (steps, bands): float32 dB, smooth along both axes."""
        around = round(self.options.around * self.per_second)
        if not len(levels):
            return np.zeros_like(levels)
        before = np.minimum(np.arange(len(levels)), around) + 1
        after = np.minimum(np.arange(len(levels))[::-1], around) + 1
        means = running_mean(levels, around + 1) * before[:, None]
        means += running_mean(levels[::-1], around + 1)[::-1] * after[:, None] - levels
        return self._towards(means / (before + after - 1)[:, None])

    def gains_at(self, levels: np.ndarray, first: int, last: int) -> np.ndarray:
        """Returns the gains of a run from step `first` to step `last`, (bands,): those of its middle.

        They are lower where the run would exceed the limits, and would not without them. The run may reach beyond the
        recording.
        """
        first, last = min(first, len(levels) - 1), min(last, len(levels) - 1)
        around, middle = round(self.options.around * self.per_second), (first + last) // 2
        gains: np.ndarray = self._towards(levels[max(0, middle - around) : middle + around + 1].mean(axis=0)[None])[0]
        return self._limited(levels[first : last + 1], gains)

    def filtered(self, sound: np.ndarray, gains: np.ndarray) -> np.ndarray:
        """Filters sound (samples, channels) without delay: float32, the same shape.

        gains: (bands,), dB. Give at least `options.margin` samples of context on both sides.
        """
        # Padded by the filter on both sides, so that its circular ends never meet the sound.
        size = scipy.fft.next_fast_len(len(sound) + 2 * self.options.margin, real=True)
        curve = np.interp(np.fft.rfftfreq(size, 1.0 / self.rate), self.centres, 10.0 ** (gains / 20.0))
        spectrum = scipy.fft.rfft(sound.astype(np.float32, copy=False), size, axis=0)
        found: np.ndarray = scipy.fft.irfft(spectrum * curve[:, None].astype(np.float32), size, axis=0)
        return found[: len(sound)]

    def _towards(self, means: np.ndarray) -> np.ndarray:
        wanted = scipy.ndimage.convolve1d(self.aim - means, SMOOTHING, axis=1, mode="nearest")
        gains: np.ndarray = self.options.strength * wanted.clip(-self.options.most_db, self.options.most_db)
        return gains.astype(np.float32)

    def _limited(self, run: np.ndarray, gains: np.ndarray) -> np.ndarray:
        brighter = brightness(run + gains, self.centres) - max(self.limits.brightest, brightness(run, self.centres))
        gains = gains - np.float32(max(0.0, brighter)) * (self.centres > BRIGHT_HZ)
        excess = loudness(run + gains) - max(self.limits.loudest, loudness(run))
        return gains - np.float32(max(0.0, excess))


def loudness(levels: np.ndarray) -> float:
    """Returns the mean loudness of levels (steps, bands), dB re that of one band at 0 dB."""
    return float(10.0 * np.log10(_powers(levels).sum(axis=1).mean()))


def brightness(levels: np.ndarray, centres: np.ndarray) -> float:
    """Returns the power of levels (steps, bands) above `BRIGHT_HZ` over that below, dB. centres: (bands,), Hz."""
    powers = _powers(levels).mean(axis=0)
    return float(_brightness(powers[centres > BRIGHT_HZ].sum(), powers.sum()))


def limits_of(music: Sequence[np.ndarray], centres: np.ndarray, per_second: float, options: ColourOptions) -> Limits:
    """Returns the loudness and the brightness that music exceeds only in `options.outliers` of its half seconds.

    music: levels (steps, bands) of each recording.
    """
    width, high = round(0.5 * per_second), centres > BRIGHT_HZ
    sums = np.stack([high, np.ones_like(high)], axis=1).astype(np.float32)
    bright, whole = np.concatenate([running_mean(_powers(levels) @ sums, width) for levels in music]).T
    loudest = np.quantile(whole, 1.0 - options.outliers)
    sounds = whole >= loudest * 10.0 ** (SILENCE_DB / 10.0)
    brightest = np.quantile(_brightness(bright[sounds], whole[sounds]), 1.0 - options.outliers)
    return Limits(float(10.0 * np.log10(loudest)), float(brightest))


def _brightness(bright: np.ndarray, whole: np.ndarray) -> np.ndarray:
    low = np.maximum(whole - bright, 1e-6 * whole)
    result: np.ndarray = 10.0 * np.log10(np.maximum(bright / low, 1e-12))
    return result


def colour_of(levels: np.ndarray, frame: FrameOptions, steps: StepOptions, options: ColourOptions) -> Colour:
    """Returns the filter towards a prompt with levels (steps, bands)."""
    per_second = frame.rate / (frame.hop * steps.frames)
    bins = band_centres(frame)[: levels.shape[1] * steps.pooled].reshape(-1, steps.pooled).mean(axis=1)
    aim = levels[-round(options.aim_seconds * per_second) :].mean(axis=0)
    centres = bins * frame.rate / frame.window
    limits = limits_of([levels], centres, per_second, options)
    return Colour(aim, limits, centres, per_second, frame.rate, options)


def _powers(levels: np.ndarray) -> np.ndarray:
    """Returns the power of levels (steps, bands), the same shape, where a band at 0 dB has power 1."""
    powers: np.ndarray = np.exp(levels * np.float32(np.log(10.0) / 10.0))
    return powers
