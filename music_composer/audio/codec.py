"""Sound through everything but the network: frames, latents, frames, phase. No continuation can sound better."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.prompts import with_channels
from music_composer.audio.spectrogram import to_frames, to_steps, waveform_to_frames
from music_composer.options import FrameOptions
from music_composer.values import Frames, Waveform

Affine = tuple[np.ndarray, np.ndarray]  # kernel and bias


def through_codec(
    waveform: Waveform,
    encoder: Affine,
    decode: Callable[[np.ndarray], np.ndarray],
    stack: int,
    channels: int,
    options: FrameOptions,
    iterations: int,
    rng: np.random.Generator,
) -> Waveform:
    """The waveform as the model's own frames would give it back; up to `stack` frames shorter.

    encoder: kernel (size, components) and bias (components,). decode: latents (steps, components) to (steps, size).
    """
    bands = waveform_to_frames(Waveform(with_channels(waveform.samples, channels), options.rate), options).bands
    latents = to_steps(bands, stack) @ encoder[0] + encoder[1]
    decoded = to_frames(decode(latents), stack, channels)
    return frames_to_waveform(Frames(decoded), options, iterations, rng)


def log_spectral_error(original: Waveform, decoded: Waveform, options: FrameOptions) -> float:
    """How far apart two waveforms' spectra are, dB: over bins as a root mean square, then the mean over frames.

    The log-spectral distance of Gray & Markel 1976, on mid and side; below `floor_db` all is silence. What one of them
    is longer by is left out. Phase plays no part.
    """
    every_bin = dataclasses.replace(options, bands=options.bins)
    count = min(len(original.samples), len(decoded.samples))
    channels = max(original.samples.shape[1], decoded.samples.shape[1])
    one, other = (
        waveform_to_frames(Waveform(with_channels(each.samples[:count], channels), options.rate), every_bin).bands
        for each in (original, decoded)
    )
    return float(np.mean(np.sqrt(np.mean(np.square(one - other), axis=-1)))) * 20 / np.log(10)
