"""Sound through the codec alone: frames, latents, frames and phase. No continuation can sound better than this."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.prompts import with_channels
from music_composer.audio.spectrogram import to_frames, to_steps, waveform_to_frames
from music_composer.values import Frames, Waveform

Affine = tuple[np.ndarray, np.ndarray]  # kernel and bias


def through_codec(
    waveform: Waveform,
    encoder: Affine,
    decode: Callable[[np.ndarray], np.ndarray],
    frames_per_step: int,
    channels: int,
    options: FrameOptions,
    iterations: int,
    rng: np.random.Generator,
) -> Waveform:
    """Encodes a waveform to latents and decodes it again. The result is up to `frames_per_step` frames shorter.

    encoder: kernel (size, components) and bias (components,). decode: maps latents (steps, components) to steps (steps,
    size). channels: 1 or 2. iterations: of the search for the phase.
    """
    bands = waveform_to_frames(Waveform(with_channels(waveform.samples, channels), options.rate), options).bands
    latents = to_steps(bands, frames_per_step) @ encoder[0] + encoder[1]
    decoded = to_frames(decode(latents), frames_per_step, channels)
    return frames_to_waveform(Frames(decoded), options, iterations, rng)


def log_spectral_error(original: Waveform, decoded: Waveform, options: FrameOptions) -> float:
    """Returns the log-spectral distance of two waveforms, in dB.

    It is the root mean square over bins, averaged over frames and over mid and side (Gray and Markel 1976). Magnitudes
    below `floor_db` count as silence. The longer waveform is cut to the length of the other. Phase plays no part.
    """
    # Bands would hide what happens between two bins of one band.
    every_bin = dataclasses.replace(options, bands=options.bins)
    count = min(len(original.samples), len(decoded.samples))
    channels = max(original.samples.shape[1], decoded.samples.shape[1])
    one, other = (
        waveform_to_frames(Waveform(with_channels(each.samples[:count], channels), options.rate), every_bin).bands
        for each in (original, decoded)
    )
    return float(np.mean(np.sqrt(np.mean(np.square(one - other), axis=-1)))) * 20 / np.log(10)
