"""Waveforms to frames of log-magnitude bands, frames to magnitudes, and frames to the steps of a model and back.

Phase is rebuilt elsewhere (`phase.py`).

A frame is centred on every hop-th sample; its 1025 magnitudes are pooled to bands that are one bin wide at the bottom
and as wide as a mel step at the top. Pooling keeps energy, so the air at the top keeps its level.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import numpy as np
import scipy.fft
import scipy.sparse

from music_composer.options import FrameOptions
from music_composer.values import Frames, Waveform

AT_ONCE = 2**19  # samples whose spectra are in memory together


@functools.lru_cache(maxsize=4)
def analysis_window(options: FrameOptions) -> np.ndarray:
    """Periodic Hann window, shape (window,), float32."""
    n = np.arange(options.window)
    return (0.5 - 0.5 * np.cos(2 * np.pi * n / options.window)).astype(np.float32)


@functools.lru_cache(maxsize=4)
def band_centres(options: FrameOptions) -> np.ndarray:
    """Centre of each band in bins, shape (bands,), rising from 0 to bins - 1.

    Steps follow the slope of the mel scale (Slaney: linear to 1 kHz, then logarithmic) but are never narrower than a
    bin, so that no band is empty and the bottom octaves keep all the resolution there is.
    """
    frequency = np.arange(options.bins) * options.rate / options.window
    mel_per_bin = np.where(frequency < 1000, 3 / 200, 27 / np.log(6.4) / np.maximum(frequency, 1000))
    low, high = 0.0, 1e6  # bisection on how many bands a mel gets
    for _ in range(100):
        bands_per_mel = (low + high) / 2
        position = np.cumsum(np.minimum(1.0, bands_per_mel * mel_per_bin * options.rate / options.window))
        low, high = (bands_per_mel, high) if position[-1] - position[0] < options.bands - 1 else (low, bands_per_mel)
    return np.interp(np.arange(options.bands), position - position[0], np.arange(options.bins))


@functools.lru_cache(maxsize=4)
def band_weights(options: FrameOptions) -> np.ndarray:
    """Triangles between neighbouring centres, shape (bins, bands), float32; every bin's weights sum to 1."""
    centres = band_centres(options)
    bins = np.arange(options.bins)
    return np.stack([np.interp(bins, centres, unit) for unit in np.eye(options.bands)], axis=1).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _sparse_weights(options: FrameOptions) -> scipy.sparse.csr_matrix:
    """The same, turned, (bands, bins). Of 1025 weights in a row a few are not 0: without the others a product takes
    half the time, and needs no threads of a BLAS beside those of the callers.
    """
    return scipy.sparse.csr_matrix(band_weights(options).T)


def floor(options: FrameOptions) -> float:
    """What is added to a magnitude before the logarithm: silence reads log(floor)."""
    return 10 ** (options.floor_db / 20)


def spectrum(padded: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Complex spectra of all whole windows in `padded`, shape (..., samples), float32 -> (..., frames, bins)."""
    windows = np.lib.stride_tricks.sliding_window_view(padded, options.window, axis=-1)[..., :: options.hop, :]
    return scipy.fft.rfft(windows * analysis_window(options), axis=-1)


def spectrum_to_bands(spectra: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Complex (..., bins), a full-scale sine having window sum / 2 -> natural log-magnitudes (..., bands)."""
    weights, full_scale = band_weights(options), analysis_window(options).sum() / 2
    power = (spectra.real**2 + spectra.imag**2).reshape(-1, options.bins)
    bands = (_sparse_weights(options) @ power.T).T / (weights.sum(axis=0) * full_scale**2)
    return np.log(np.sqrt(bands) + np.float32(floor(options))).reshape(*spectra.shape[:-1], options.bands)


def bands_to_magnitudes(bands: np.ndarray, options: FrameOptions) -> np.ndarray:
    """The inverse as far as there is one: each bin gets its share of the power of the two bands around it."""
    full_scale = analysis_window(options).sum() / 2
    magnitude = np.maximum(np.exp(bands.astype(np.float32)) - np.float32(floor(options)), 0)
    return np.sqrt((magnitude * magnitude) @ band_weights(options).T) * np.float32(full_scale)


def sounding(levels: np.ndarray, options: FrameOptions) -> tuple[int, int]:
    """First and one past the last frame that is louder than the silence threshold below the song's loudest."""
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

    All together there are 1 + samples // hop frames, the first centred on the first sample.
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
    """Bands of every whole window (frames, channels, bands), and the samples that later windows still need."""
    frames = max(0, 1 + (samples.shape[1] - options.window) // options.hop)
    if not frames:
        return np.zeros((0, len(samples), options.bands), np.float32), samples
    bands = spectrum_to_bands(spectrum(samples, options), options)
    return bands.transpose(1, 0, 2), samples[:, frames * options.hop :]


def waveform_to_frames(waveform: Waveform, options: FrameOptions) -> Frames:
    """All frames of a waveform, never all spectra at once. `phase.frames_to_waveform` is the way back."""
    samples = waveform.samples
    blocks = [samples[at : at + AT_ONCE] for at in range(0, max(1, len(samples)), AT_ONCE)]
    return Frames(np.concatenate(list(blocks_to_bands(blocks, options))))


def bent(bands: np.ndarray, frames: int, speed: float) -> np.ndarray:
    """(any, channels, bands) -> (frames, channels, bands), played `speed` times as fast; pitch stays."""
    place = np.minimum(np.arange(frames) * speed, len(bands) - 1)
    before = np.minimum(place.astype(int), len(bands) - 2)
    share = (place - before).astype(np.float32)[:, None, None]
    return (1 - share) * bands[before] + share * bands[before + 1]


def to_steps(frames: np.ndarray, stack: int) -> np.ndarray:
    """(frames, channels, bands) -> (frames // stack, stack * channels * bands), float32; a remainder is left out."""
    steps = len(frames) // stack
    size = stack * int(np.prod(frames.shape[1:]))
    return np.asarray(frames[: steps * stack], np.float32).reshape(steps, size)


def to_frames(steps: np.ndarray, stack: int, channels: int) -> np.ndarray:
    """The inverse: (..., steps, stack * channels * bands) -> (..., steps * stack, channels, bands)."""
    *lead, count, size = steps.shape
    return steps.reshape(*lead, count * stack, channels, size // (stack * channels))
