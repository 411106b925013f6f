"""Features of half seconds: level, movement, noisiness, brightness, harmony and onsets.

A window is described by mean, deviation and mean movement of log-mel bands, spectral flatness and centroid (Peeters
2004, "A large set of audio features", IRCAM), the share of each pitch class (Fujishima 1999) and the strength of onsets
(positive log-mel flux, Bello et al. 2005). No pretrained weights are needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from music_composer.evaluation.audio.signal.spectra import Array
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, blocks_to_windows, log_mel

CHROMA_FFT = 16384  # samples: a semitone is more than two bins wide from 100 Hz on
CHROMA_RANGE = (100.0, 5000.0)  # Hz
FAINT_SHARE = 0.01  # added to the share of a pitch class before its logarithm
EXTRAS = 4  # flatness, centroid, mean and strongest onset
STRONGEST_ONSET = 3  # its place among them
# Added to the deviations, in units of the columns (dB, dB, octaves, dB): otherwise a band that always lies at the
# floor would weigh as much as one that carries the melody.
SOFTENING = {"bands": 1.0, "flatness": 1.0, "centroid": 0.1, "onsets": 0.5, "chroma": 1.0}


@dataclass(frozen=True)
class Scale:
    """Divides each column of features by its deviation in the training set, plus a softening term.

    deviations: (features,), in the units of the columns.
    """

    deviations: NDArray[np.float64]

    def __call__(self, features: Array) -> NDArray[np.float64]:
        return np.asarray(features, np.float64) / self.deviations


def feature_count(options: DistanceOptions) -> int:
    """Returns the number of features of a window."""
    return 3 * options.bands + EXTRAS + 12


def windows_to_features(samples: Array, options: DistanceOptions) -> NDArray[np.float32]:
    """Returns features of every whole window of mono samples (n,) at options.rate: (windows, feature_count)."""
    return features_of_blocks([samples], options)


def features_of_blocks(blocks: Iterable[Array], options: DistanceOptions) -> NDArray[np.float32]:
    """Returns the same for a stream of mono blocks, whose bounds make no difference."""
    return described_blocks(blocks, options)[0]


def described_blocks(
    blocks: Iterable[Array], options: DistanceOptions, with_levels: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float16]]:
    """Returns the same, and the log-mel levels behind it: (windows * options.window_frames, bands), dB.

    with_levels: False returns no levels, which take six times as much memory as the features.
    """
    features = [np.empty((0, feature_count(options)), np.float32)]
    levels = [np.empty((0, options.bands), np.float16)]
    for samples, count in blocks_to_windows(blocks, options):
        mel = log_mel(samples, options)
        features.append(_describe(samples, mel, count, options))
        if with_levels:
            levels.append(mel.astype(np.float16))
    return np.concatenate(features), np.concatenate(levels)


def scale_of(features: Array, options: DistanceOptions) -> Scale:
    """Returns the scale of a training set's features, (windows, feature_count)."""
    softening = [SOFTENING["bands"]] * (3 * options.bands)
    softening += [SOFTENING["flatness"], SOFTENING["centroid"], SOFTENING["onsets"], SOFTENING["onsets"]]
    softening += [SOFTENING["chroma"]] * 12
    return Scale(np.asarray(features, np.float64).std(axis=0) + np.array(softening))


def _describe(samples: Array, frames: NDArray[np.float32], count: int, options: DistanceOptions) -> NDArray[np.float32]:
    """Returns the features of `count` successive windows. Samples reach beyond the last window by an overhang.

    frames: (frames, bands), their `log_mel`.
    """
    levels = frames.reshape(count, options.window_frames, options.bands)
    steps: Array = np.diff(levels[:, :: options.change_hops], axis=1)
    onsets: Array = np.maximum(steps, 0).mean(axis=2)
    power: Array = 10.0 ** (levels / 10.0)
    flatness = 10.0 * (np.log10(power).mean(axis=2) - np.log10(power.mean(axis=2))).mean(axis=1)
    mel = np.arange(options.bands)
    centroid = (power @ mel / power.sum(axis=2)).mean(axis=1) * (octaves_per_band(options))
    extras = np.stack([flatness, centroid, onsets.mean(axis=1), onsets.max(axis=1)], axis=1)
    step = options.window_frames * options.hop
    chroma = np.stack([_chroma(samples[i * step : i * step + CHROMA_FFT], options) for i in range(count)])
    bands = [levels.mean(axis=1), levels.std(axis=1), np.abs(steps).mean(axis=1)]
    return np.concatenate([*bands, extras, chroma], axis=1).astype(np.float32)


def octaves_per_band(options: DistanceOptions) -> float:
    """Returns the approximate width of a band: bands above 1 kHz are evenly spaced in octaves, those below in Hz."""
    return float(np.log2(options.rate / 2 / 50.0) / options.bands)


def _chroma(samples: Array, options: DistanceOptions) -> NDArray[np.float64]:
    """Returns the share of the power of each of the 12 pitch classes, C first, in dB above FAINT_SHARE."""
    window, classes = _pitch_classes(options)
    padded = np.zeros(len(window), np.float32)
    padded[: len(samples)] = samples
    power = np.abs(scipy.fft.rfft(padded * window)) ** 2 @ classes
    return 10.0 * np.log10(power / max(power.sum(), 1e-12) + FAINT_SHARE)


@lru_cache(maxsize=4)
def _pitch_classes(options: DistanceOptions) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the window, and the pitch class of each bin: (bins, 12), zeros outside CHROMA_RANGE."""
    frequency = np.maximum(np.arange(CHROMA_FFT // 2 + 1) * options.rate / CHROMA_FFT, 1.0)
    pitch = np.round(69 + 12 * np.log2(frequency / 440.0)).astype(int)
    inside = (frequency >= CHROMA_RANGE[0]) & (frequency <= CHROMA_RANGE[1])
    classes = (pitch[:, None] % 12 == np.arange(12)) & inside[:, None]
    n = np.arange(CHROMA_FFT)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / CHROMA_FFT)
    return (window * 2.0 / window.sum()).astype(np.float32), classes.astype(np.float32)
