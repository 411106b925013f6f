"""Drift: the course of loudness, flatness and high frequencies, compared with the range of the training music.

A course holds three figures for every half second of a recording. It is computed from a stream, so an hour needs no
more memory than a minute. Music that ends may rest or fall silent: silent windows have no meaningful spectrum, so only
their loudness counts. `evaluation/audio/structure/loops.py` finds loops,
`evaluation/audio/similarity/frechet_distance.py` measures the distance per minute.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.stats
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.spectra import Array, scaled_hann, windows_of_blocks


@dataclass(frozen=True)
class DriftOptions:
    """Parameters of the measurement. Two readings compare only under equal options."""

    rate: int = 44100  # Hz, of the samples that are given
    window_seconds: float = 0.5  # rounded to whole samples; windows do not overlap
    fft: int = 2048  # samples
    hop: int = 512  # samples
    high_hz: float = 4000.0  # lower bound of the high frequencies
    floor_db: float = -80.0  # lower values read this
    bin_floor_db: float = -50.0  # re the mean of a spectrum's bins; fainter bins do not make it less flat
    segment_seconds: float = 10.0  # rounded to whole windows
    outliers: float = 1.0  # per cent of the training music's windows beyond either end of the envelope
    silence_db: float = -50.0  # re the median loudness of the training music's windows

    def __post_init__(self) -> None:
        if self.hop < 1 or not self.hop <= self.fft <= self.window_samples or self.segment_windows < 1:
            raise OptionError(f"{self}: needs 1 <= hop <= fft <= a window, and a window <= a segment.")
        if (
            not 0.0 < self.high_hz < self.rate / 2
            or max(self.floor_db, self.bin_floor_db) >= 0.0
            or not 0.0 <= self.outliers < 50.0
        ):
            raise OptionError(f"{self}: high_hz must lie below rate / 2, the floors below 0, outliers below 50.")

    @property
    def window_samples(self) -> int:
        return round(self.window_seconds * self.rate)

    @property
    def segment_windows(self) -> int:
        return round(self.segment_seconds / self.window_seconds)


@dataclass(frozen=True)
class Course:
    """One value per window of a recording, each (windows,) in dB. An incomplete last window is left out.

    In a window no louder than the floor, all three read the floor.
    """

    loudness: NDArray[np.float64]  # RMS; a constant 1.0 reads 0
    flatness: NDArray[np.float64]  # geometric over arithmetic mean of the power spectrum: 0 for white noise
    high_ratio: NDArray[np.float64]  # share of the power above high_hz

    def __len__(self) -> int:
        return len(self.loudness)


@dataclass(frozen=True)
class Envelope:
    """The range of the training music: (lowest, highest) in dB, without a few outliers."""

    loudness: tuple[float, float]  # over all windows
    flatness: tuple[float, float]  # over the windows that are not silent
    high_ratio: tuple[float, float]  # the same
    silence: float  # dB; quieter windows are silent


@dataclass(frozen=True)
class Stability:
    """The number of segments of a recording, and how many leave the envelope in each figure."""

    segments: int
    loudness: int
    flatness: int
    high_ratio: int

    @property
    def stable(self) -> bool:
        """Whether no segment leaves the envelope."""
        return self.loudness == self.flatness == self.high_ratio == 0


def course_of_blocks(blocks: Iterable[Array], options: DriftOptions) -> Course:
    """Returns the course of a stream of mono blocks (n,), full scale 1, at options.rate.

    The bounds of the blocks make no difference. The spectrum of a window is the mean power over its frames (Welch
    1967). Raises MusicComposerError for samples that are not numbers.
    """
    length = options.window_samples
    parts = [_measure(windows, options) for windows in windows_of_blocks(blocks, length, length)]
    return Course(*np.concatenate([np.empty((3, 0)), *parts], axis=1))


def envelope_of(courses: Sequence[Course], options: DriftOptions) -> Envelope:
    """Returns the envelope of the training music: percentiles over the windows of all its recordings.

    Give recordings without the silence before and after the music (`mono_blocks` with trim_db). For generated music,
    give training music that went through the codec too (`audio.spectrogram`, `audio.phase`): reconstructed phase fills
    the gaps of a spectrum, which then reads up to 2 dB flatter without any drift. Raises MusicComposerError when all of
    it is silent.
    """
    loudness = np.concatenate([np.empty(0), *(course.loudness for course in courses)])
    if not len(loudness) or loudness.max() <= options.floor_db:
        raise MusicComposerError("The training music is silent or shorter than half a second: give more of it.")
    silence = float(np.median(loudness)) + options.silence_db
    sounds = loudness >= silence
    return Envelope(
        loudness=_range(loudness, options.outliers),
        flatness=_range(np.concatenate([course.flatness for course in courses])[sounds], options.outliers),
        high_ratio=_range(np.concatenate([course.high_ratio for course in courses])[sounds], options.outliers),
        silence=silence,
    )


def stability(course: Course, envelope: Envelope, options: DriftOptions) -> Stability:
    """Counts the segments of ten seconds whose mean lies outside the envelope; one segment begins with each window.

    Loudness is averaged as power, so that louder music around a rest or a soft chord carries it. Flatness and high
    ratio are averaged in dB, as powers would let the brightest window dominate; silent windows are left out. A segment
    that is silent throughout reads the floor and so lies outside. The envelope comes from half seconds, so ten seconds
    of real music lie well inside: a segment that leaves it is no outlier. Raises MusicComposerError for less than one
    segment.
    """
    means = _segment_means(course, envelope.silence, options)
    ranges = (envelope.loudness, envelope.flatness, envelope.high_ratio)
    outside = [int(np.sum((values < low) | (values > high))) for values, (low, high) in zip(means, ranges, strict=True)]
    return Stability(means.shape[1], *outside)


def loudness_slope(course: Course, options: DriftOptions) -> float:
    """Returns the trend of loudness in dB per minute: the median slope between segments (Theil 1950, Sen 1968).

    Least squares would let one rest or a soft ending decide. Segments do not overlap, and an incomplete last one is
    left out. Raises MusicComposerError for fewer than two.
    """
    size = options.segment_windows
    count = len(course) // size
    if count < 2:
        raise _too_short(course, 2, options)
    means = 10.0 * np.log10(_power(course.loudness[: count * size]).reshape(count, size).mean(axis=1))
    minutes = np.arange(count) * size * options.window_seconds / 60.0
    return float(scipy.stats.theilslopes(means, minutes).slope)


def silence_seconds(course: Course, silence: float, options: DriftOptions) -> float:
    """Returns the length of the longest run of windows quieter than `silence`, dB (`Envelope.silence`), in seconds.

    Compare it with the longest run in the training music.
    """
    edges = np.flatnonzero(np.diff(course.loudness < silence, prepend=False, append=False))
    return float((edges[1::2] - edges[::2]).max(initial=0) * options.window_seconds)


def _measure(windows: NDArray[np.float32], options: DriftOptions) -> NDArray[np.float64]:
    """Windows (n, window_samples) -> loudness, flatness and high ratio (3, n), dB."""
    loudness = 10.0 * np.log10(np.maximum(np.mean(np.square(windows, dtype=np.float64), axis=1), 1e-300))
    frames = np.lib.stride_tricks.sliding_window_view(windows, options.fft, axis=1)[:, :: options.hop]
    window = scaled_hann(options.fft)
    spectra = np.stack([np.mean(np.abs(scipy.fft.rfft(each * window, axis=1)) ** 2, axis=0) for each in frames])
    spectra = np.maximum(spectra.astype(np.float64), 1e-300)
    means = spectra.mean(axis=1, keepdims=True)
    # Floored relative to its own mean, so that a gain changes nothing. Without a floor the log of inaudible bins, of
    # dither or of what a lossy codec removed, would outweigh the music.
    floored = np.maximum(spectra, means * 10.0 ** (options.bin_floor_db / 10.0))
    flatness = 10.0 * (np.log10(floored).mean(axis=1) - np.log10(floored.mean(axis=1)))
    high = np.arange(spectra.shape[1]) * options.rate / options.fft > options.high_hz
    high_ratio = 10.0 * np.log10(np.maximum(spectra[:, high].sum(axis=1) / spectra.sum(axis=1), 1e-300))
    silent = loudness <= options.floor_db
    return np.where(silent, options.floor_db, np.stack([loudness, flatness, high_ratio])).clip(options.floor_db)


def _segment_means(course: Course, silence: float, options: DriftOptions) -> NDArray[np.float64]:
    """Returns loudness, flatness and high ratio of every segment: (3, windows - segment_windows + 1), dB."""
    size = options.segment_windows
    if len(course) < size:
        raise _too_short(course, 1, options)
    loudness, sounds, flatness, high_ratio = np.lib.stride_tricks.sliding_window_view(
        [_power(course.loudness), course.loudness >= silence, course.flatness, course.high_ratio], size, axis=1
    )
    audible = sounds.sum(axis=1)
    spectral = [
        np.where(audible > 0, (values * sounds).sum(axis=1) / np.maximum(audible, 1), options.floor_db)
        for values in (flatness, high_ratio)
    ]
    return np.stack([10.0 * np.log10(loudness.mean(axis=1)), *spectral])


def _power(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10.0 ** (levels / 10.0)


def _range(values: NDArray[np.float64], outliers: float) -> tuple[float, float]:
    return float(np.percentile(values, outliers)), float(np.percentile(values, 100.0 - outliers))


def _too_short(course: Course, segments: int, options: DriftOptions) -> MusicComposerError:
    has, needs = len(course) * options.window_seconds, segments * options.segment_seconds
    return MusicComposerError(f"{has:g} s are too short to measure drift: at least {needs:g} s of music are needed.")
