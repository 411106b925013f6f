"""The Frechet distance of a set of music to the training set, on log-mel statistics.

After Heusel et al. 2017 (arXiv:1706.08500, the distance between two Gaussians) and Kilgour et al. 2019
(arXiv:1812.08466, the same for audio), with features that need no pretrained weights: mean and deviation of log-mel
bands over short windows, projected on the leading components of the training set and scaled to unit variance there. A
small set reads too far by about components * (components + 1) / (4 * windows), and more where neighbouring windows are
alike. So compare only readings at equal counts of windows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from music_composer.audio.reading.recording import mono_blocks, to_mono
from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.spectra import Array

SAMPLES_AT_ONCE, FRAMES_AT_ONCE = 1 << 19, 1024
SILENCE_DB = -120.0


@dataclass(frozen=True)
class DistanceOptions:
    """Parameters of the measurement; levels in dB re a full-scale sine.

    Two readings compare only under equal options.
    """

    rate: int = 44100  # Hz; recordings at other rates are resampled
    bands: int = 64  # mel bands from 0 Hz to rate / 2
    window_seconds: float = 0.5  # rounded to whole hops; windows do not overlap
    components: int = 24
    fft: int = 2048  # samples
    hop: int = 512  # samples
    floor_db: float = -80.0  # lower levels read this: inaudible dither must not count
    trim_db: float = -60.0  # a recording begins and ends where it is louder than this (peak)
    change_hops: int = 2  # hops between the frames that `frame_change` compares: 43 steps a second

    def __post_init__(self) -> None:
        counts = (self.rate, self.bands, self.components, self.hop, self.change_hops)
        if min(counts) < 1 or self.window_frames < 1 or self.fft < self.hop:
            raise OptionError(f"{self}: every count must be at least 1, and fft at least hop.")
        if self.components > 2 * self.bands:
            raise OptionError(f"{self.components} components out of {2 * self.bands} features: take fewer components.")

    @property
    def window_frames(self) -> int:
        """STFT frames in a window."""
        return round(self.window_seconds * self.rate / self.hop)


@dataclass(frozen=True)
class Reference:
    """Coordinates in which the training set has mean zero and unit covariance."""

    mean: NDArray[np.float64]  # (2 * bands,), dB
    projection: NDArray[np.float64]  # (2 * bands, components), 1/dB
    spread: float  # dB: deviation of a band over all frames, mean over bands; the unit of `frame_change`
    windows: int


def mel_bank(options: DistanceOptions) -> NDArray[np.float32]:
    """Returns triangular filters of peak 1, (bands, fft // 2 + 1), evenly spaced in mel from 0 Hz to half the rate.

    Slaney's scale (Auditory Toolbox, Interval technical report 1998-010): linear to 1 kHz, 200/3 Hz to the mel, then
    logarithmic, 27 mel to a factor of 6.4. Raises OptionError when a band holds no FFT bin.
    """
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(options.rate / 2), options.bands + 2))
    frequencies = np.arange(options.fft // 2 + 1) * options.rate / options.fft
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    bank = np.minimum((frequencies - low) / (centre - low), (high - frequencies) / (high - centre)).clip(0.0)
    if not bank.any(axis=1).all():
        raise OptionError(f"{options.bands} bands are too narrow for fft {options.fft}: take fewer, or a longer fft.")
    return bank.astype(np.float32)


def log_mel(mono: Array, options: DistanceOptions) -> NDArray[np.float32]:
    """Returns log-mel power of samples (n,): (frames, bands) in dB. A full-scale sine at a band's centre reads about 0.

    Frames are not padded: there are (n - fft) // hop + 1 of them, none when n < fft.
    """
    window, bank = _window_and_bank(options)
    if len(mono) < options.fft:
        return np.empty((0, options.bands), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(mono, np.float32), options.fft)[:: options.hop]
    chunks = (frames[at : at + FRAMES_AT_ONCE] for at in range(0, len(frames), FRAMES_AT_ONCE))
    power = np.concatenate([np.abs(scipy.fft.rfft(chunk * window, axis=1)) ** 2 @ bank.T for chunk in chunks])
    levels: NDArray[np.float32] = 10.0 * np.log10(np.maximum(power, 10.0 ** (options.floor_db / 10.0)))
    return levels


def window_features(samples: Array, options: DistanceOptions) -> NDArray[np.float32]:
    """Returns mean and deviation of every band over each whole window: (windows, 2 * bands) in dB, means first.

    samples: (n, channels) or (n,), full scale 1, at options.rate; channels are averaged. An incomplete last window is
    left out.
    """
    blocks = (to_mono(samples[at : at + SAMPLES_AT_ONCE]) for at in range(0, len(samples), SAMPLES_AT_ONCE))
    return _features_of_blocks(blocks, options)


def features_of_files(
    paths: Iterable[str | PathLike[str]], options: DistanceOptions, skip_seconds: float = 0.0, trim: bool = False
) -> NDArray[np.float32]:
    """Returns the features of all recordings, (windows, 2 * bands), in the given order. No window spans two files.

    skip_seconds: leave out the beginning of each file (the prompt). trim: leave out silence at both ends. Trim the
    training set, but not generated music, so that falling silent shows. Memory does not grow with the length of a file.
    Raises RecordingError when a file cannot be read.
    """
    parts = [
        _features_of_blocks(
            mono_blocks(Path(path), options.rate, skip_seconds, trim_db=options.trim_db if trim else None), options
        )
        for path in paths
    ]
    return np.concatenate([np.empty((0, 2 * options.bands), np.float32), *parts])


def reference_of(features: Array, options: DistanceOptions) -> Reference:
    """Fits PCA whitening to features (windows, 2 * bands) of the training set.

    Features are not standardized first: a band that is nearly always at the floor would be amplified. Raises
    MusicComposerError for fewer windows than components + 1, or when they vary in too few directions.
    """
    features, wanted = _checked(features, options.components), options.components
    variances, directions = np.linalg.eigh(np.cov(features.T))
    variances = variances[::-1][:wanted]  # largest first
    if variances[-1] <= 1e-10 * max(variances[0], 1e-10):
        raise MusicComposerError(f"The training set varies in fewer than {wanted} directions: use more recordings.")
    projection = directions[:, ::-1][:, :wanted] / np.sqrt(variances)
    means, deviations = np.split(features, 2, axis=1)
    spread = np.sqrt(means.var(axis=0) + (deviations**2).mean(axis=0)).mean()
    return Reference(features.mean(axis=0), projection, float(spread), len(features))


def frechet(reference: Reference, features: Array) -> float:
    """Returns the squared Frechet distance of features (windows, 2 * bands) to the reference.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), Heusel et al. 2017; 0 for the training set itself. The moments of the
    reference are 0 and 1 here, so the eigenvalues of C2 suffice. Raises MusicComposerError for fewer windows than
    components + 1.
    """
    whitened = (_checked(features, reference.projection.shape[1]) - reference.mean) @ reference.projection
    # Clipped: rounding makes eigenvalues near 0 slightly negative.
    deviations = np.sqrt(np.linalg.eigvalsh(np.atleast_2d(np.cov(whitened.T))).clip(0.0))
    return float(np.sum(whitened.mean(axis=0) ** 2) + np.sum((deviations - 1.0) ** 2))


def bootstrap_interval(
    reference: Reference, groups: Sequence[Array], rng: np.random.Generator, draws: int = 200
) -> tuple[float, float]:
    """Returns the 95 % percentile interval of the distance, drawing whole files with replacement (Efron 1979).

    groups: the features of each file, (windows, 2 * bands). Files are drawn because windows of one file are alike. A
    draw holds fewer distinct files than the set, so the interval leans upwards, more so for few files.
    """
    if not groups or draws < 1:
        raise MusicComposerError(f"No interval from {len(groups)} files and {draws} draws: give at least one of each.")
    picks = rng.integers(len(groups), size=(draws, len(groups)))
    readings = [frechet(reference, np.concatenate([groups[i] for i in pick])) for pick in picks]
    return float(np.percentile(readings, 2.5)), float(np.percentile(readings, 97.5))


def frame_change(samples: Array, options: DistanceOptions, spread: float = 1.0) -> float:
    """Mean absolute difference of log-mel frames `change_hops` hops apart, divided by spread.

    samples: (n, channels) or (n,). In dB with spread 1; with `Reference.spread` in deviations of the training set's
    bands. Mush changes less than the music, roughness more. Raises MusicComposerError for fewer than two frames.
    """
    frames = log_mel(to_mono(samples), options)[:: options.change_hops]
    if len(frames) < 2:
        raise MusicComposerError(f"{len(samples)} samples are too short to measure change: give at least a second.")
    return float(np.abs(np.diff(frames, axis=0)).mean(dtype=np.float64) / spread)


def loudness_db(samples: Array) -> float:
    """RMS level over all samples and channels in dBFS (a constant 1.0 reads 0); never below SILENCE_DB."""
    if np.size(samples) == 0:
        raise MusicComposerError("No samples to measure the loudness of.")
    power = np.mean(np.square(samples, dtype=np.float64))
    return float(10.0 * np.log10(max(power, 10.0 ** (SILENCE_DB / 10.0))))


def _hz_to_mel(hz: float) -> float:
    return hz * 3.0 / 200.0 if hz < 1000.0 else 15.0 + 27.0 * float(np.log(hz / 1000.0) / np.log(6.4))


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))


@lru_cache(maxsize=8)
def _window_and_bank(options: DistanceOptions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    hann = scipy.signal.get_window("hann", options.fft)
    return (hann * 2.0 / hann.sum()).astype(np.float32), mel_bank(options)


def blocks_to_windows(blocks: Iterable[Array], options: DistanceOptions) -> Iterator[tuple[Array, int]]:
    """Whole windows from a stream of mono blocks, and how many they are; where the blocks are cut makes no difference.

    The last frame of a window reaches into the next one: the samples run on for that overhang.
    """
    step, overhang = options.window_frames * options.hop, options.fft - options.hop
    pending: Array = np.empty(0, np.float32)
    for block in blocks:
        pending = np.concatenate([pending, np.asarray(block, np.float32)])
        windows = (len(pending) - overhang) // step
        if windows > 0:
            yield pending[: windows * step + overhang], windows
            pending = pending[windows * step :]


def _features_of_blocks(blocks: Iterable[Array], options: DistanceOptions) -> NDArray[np.float32]:
    parts = [np.empty((0, 2 * options.bands), np.float32)]
    for samples, windows in blocks_to_windows(blocks, options):
        levels = log_mel(samples, options).reshape(windows, -1, options.bands)
        parts.append(np.concatenate([levels.mean(axis=1), levels.std(axis=1)], axis=1))
    return np.concatenate(parts)


def _checked(features: Array, components: int) -> NDArray[np.float64]:
    if len(features) < components + 1:
        few = f"{len(features)} windows are too few for {components} components: at least {components + 1} are needed."
        raise MusicComposerError(f"{few} Give longer or more recordings.")
    if not np.isfinite(features).all():
        raise MusicComposerError("The music to be measured holds samples that are not numbers (NaN or infinite).")
    return np.asarray(features, np.float64)
