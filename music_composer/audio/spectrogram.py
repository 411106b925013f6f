"""Waveforms to frames of log-magnitude bands, frames to magnitudes, and frames to steps of a model, and back.

A frame is centred on every hop-th sample. Its 1025 magnitudes are pooled to bands that are one bin wide at the bottom
and as wide as a mel step at the top. Pooling keeps energy, so high frequencies keep their level. Phase is rebuilt in
`phase.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft
import scipy.sparse

from music_composer.audio.options import FrameOptions
from music_composer.values import Frames, Waveform

AT_ONCE = 2**19  # samples whose spectra are in memory together


@functools.lru_cache(maxsize=4)
def analysis_window(options: FrameOptions) -> np.ndarray:
    """Returns the periodic Hann window, float32 (window,)."""
    n = np.arange(options.window)
    return (0.5 - 0.5 * np.cos(2 * np.pi * n / options.window)).astype(np.float32)


@functools.lru_cache(maxsize=4)
def band_centres(options: FrameOptions) -> np.ndarray:
    """Returns the centre of each band in bins, (bands,), rising from 0 to bins - 1.

    Steps follow the slope of the mel scale (Slaney: linear to 1 kHz, then logarithmic) but are never narrower than a
    bin. So no band is empty, and the low octaves keep all the resolution that the transform has.
    """
    frequency = np.arange(options.bins) * options.rate / options.window
    mel_per_bin = np.where(frequency < 1000, 3 / 200, 27 / np.log(6.4) / np.maximum(frequency, 1000))
    # No closed form: bands below 1 kHz are limited by the width of a bin, the others by the mel scale.
    low, high = 0.0, 1e6  # bisection on how many bands a mel gets
    for _ in range(100):
        bands_per_mel = (low + high) / 2
        position = np.cumsum(np.minimum(1.0, bands_per_mel * mel_per_bin * options.rate / options.window))
        low, high = (bands_per_mel, high) if position[-1] - position[0] < options.bands - 1 else (low, bands_per_mel)
    return np.interp(np.arange(options.bands), position - position[0], np.arange(options.bins))


@functools.lru_cache(maxsize=4)
def band_weights(options: FrameOptions) -> np.ndarray:
    """Returns triangles between neighbouring centres, float32 (bins, bands). The weights of every bin sum to 1."""
    centres = band_centres(options)
    bins = np.arange(options.bins)
    return np.stack([np.interp(bins, centres, unit) for unit in np.eye(options.bands)], axis=1).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _sparse_weights(options: FrameOptions) -> scipy.sparse.csr_matrix:
    """Returns the transposed weights (bands, bins) as a sparse matrix.

    Few of the 1025 weights of a band differ from 0. A sparse product takes half the time and needs no BLAS threads
    beside those of the callers.
    """
    return scipy.sparse.csr_matrix(band_weights(options).T)


def floor(options: FrameOptions) -> float:
    """Returns what is added to a magnitude before the logarithm: silence reads log(floor)."""
    return 10 ** (options.floor_db / 20)


def spectrum(padded: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Returns the complex spectra of all whole windows: float32 (..., samples) -> (..., frames, bins)."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, options.window, axis=-1)[..., :: options.hop, :]
    return scipy.fft.rfft(windows * analysis_window(options), axis=-1)


def spectrum_to_bands(spectra: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Complex spectra (..., bins) -> natural log-magnitudes (..., bands). A full-scale sine has magnitude 1."""
    weights, full_scale = band_weights(options), analysis_window(options).sum() / 2
    power = (spectra.real**2 + spectra.imag**2).reshape(-1, options.bins)
    bands = (_sparse_weights(options) @ power.T).T / (weights.sum(axis=0) * full_scale**2)
    return np.log(np.sqrt(bands) + np.float32(floor(options))).reshape(*spectra.shape[:-1], options.bands)


def bands_to_magnitudes(bands: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Bands (..., bands) -> magnitudes (..., bins), an approximate inverse of `spectrum_to_bands`.

    Each bin gets its share of the power of the two bands around it.
    """
    full_scale = analysis_window(options).sum() / 2
    magnitude = np.maximum(np.exp(bands.astype(np.float32)) - np.float32(floor(options)), 0)
    return np.sqrt((magnitude * magnitude) @ band_weights(options).T) * np.float32(full_scale)


def sounding(levels: np.ndarray, options: FrameOptions) -> tuple[int, int]:
    """Returns the first frame that sounds and one past the last; (0, 0) for silence.

    levels: natural log-magnitudes (frames,). A frame sounds when it is above the silence threshold, which lies
    `silence_db` below the loudest frame.
    """
    if not len(levels):
        return 0, 0
    threshold = max(levels.max() + options.silence_db * np.log(10) / 20, np.log(2 * floor(options)))
    loud = np.flatnonzero(levels > threshold)
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, 0)


def to_mid_side(samples: np.ndarray) -> np.ndarray:
    """(samples, 1 or 2: left, right) -> (1 or 2: mid, side; samples)."""
    if samples.shape[1] == 1:
        return samples.T
    left, right = samples.T
    return np.stack([(left + right) / 2, (left - right) / 2])


def to_left_right(mid_side: np.ndarray) -> np.ndarray:
    """(1 or 2: mid, side; samples) -> (samples, 1 or 2: left, right)."""
    if len(mid_side) == 1:
        return mid_side.T
    mid, side = mid_side
    return np.stack([mid + side, mid - side], axis=1)


def blocks_to_bands(blocks: Iterable[np.ndarray], options: FrameOptions) -> Iterator[np.ndarray]:
    """Streams blocks of samples (samples, channels) to blocks of bands (frames, channels, bands).

    There are 1 + samples // hop frames in all. The first is centred on the first sample.
    """
    half = options.window // 2
    tail: np.ndarray | None = None
    for block in blocks:
        mid_side = to_mid_side(np.asarray(block, np.float32))
        if tail is None:
            tail = np.zeros((len(mid_side), half), np.float32)
        tail = np.concatenate([tail, mid_side], axis=1)
        bands, tail = _whole_frames(tail, options)
        yield bands
    if tail is not None:
        yield _whole_frames(np.pad(tail, ((0, 0), (0, half))), options)[0]


def _whole_frames(samples: np.ndarray, options: FrameOptions) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bands (frames, channels, bands) of all whole windows, and the samples that later windows need."""
    frames = max(0, 1 + (samples.shape[1] - options.window) // options.hop)
    if not frames:
        return np.zeros((0, len(samples), options.bands), np.float32), samples
    bands = spectrum_to_bands(spectrum(samples, options), options)
    return bands.transpose(1, 0, 2), samples[:, frames * options.hop :]


def waveform_to_frames(waveform: Waveform, options: FrameOptions) -> Frames:
    """Returns all frames of a waveform. Spectra are made block by block. `phase.frames_to_waveform` is the inverse."""
    samples = waveform.samples
    blocks = [samples[at : at + AT_ONCE] for at in range(0, max(1, len(samples)), AT_ONCE)]
    return Frames(np.concatenate(list(blocks_to_bands(blocks, options))))


def time_stretched(bands: np.ndarray, frames: int, speed: float) -> np.ndarray:
    """Interpolates bands (any, channels, bands) to `frames` frames at `speed` times the speed. Pitch stays."""
    place = np.minimum(np.arange(frames) * speed, len(bands) - 1)
    before = np.minimum(place.astype(int), len(bands) - 2)
    share = (place - before).astype(np.float32)[:, None, None]
    return (1 - share) * bands[before] + share * bands[before + 1]


def to_steps(frames: np.ndarray, frames_per_step: int) -> np.ndarray:
    """(frames, channels, bands) -> float32 (steps, frames_per_step * channels * bands). A remainder is left out."""
    steps = len(frames) // frames_per_step
    size = frames_per_step * int(np.prod(frames.shape[1:]))
    return np.asarray(frames[: steps * frames_per_step], np.float32).reshape(steps, size)


def to_frames(steps: np.ndarray, frames_per_step: int, channels: int) -> np.ndarray:
    """(..., steps, frames_per_step * channels * bands) -> (..., frames, channels, bands), the inverse of `to_steps`."""
    *lead, count, size = steps.shape
    return steps.reshape(*lead, count * frames_per_step, channels, size // (frames_per_step * channels))
