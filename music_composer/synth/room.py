"""Where sounds are and what the room answers: places between left and right, and a tail."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter, oaconvolve

from music_composer.synth.tones import Sound

REVERB_SECONDS, REVERB_LEVEL = 0.9, 0.10  # time to fall by 60 dB; level against the dry sound
REVERB_SEED = 20


def place(pan: float) -> Sound:
    """Gains of the left and right channel, shape (2,), of constant power for a pan from -1 to 1."""
    angle = (pan + 1) * np.pi / 4
    return np.array([np.cos(angle), np.sin(angle)])


def reverberate(dry: Sound, rate: int) -> Sound:
    """The room's answer to stereo sound (2, samples): dark, decaying noise, unlike on the two sides."""
    length = round(REVERB_SECONDS * rate)
    noise = np.random.default_rng(REVERB_SEED).standard_normal((length, 2)).T
    pole = np.exp(-2 * np.pi * 3000 / rate)  # walls swallow what lies above some 3 kHz
    response = lfilter([1 - pole], [1, -pole], noise) * 1000 ** (-np.arange(length) / length)
    response *= REVERB_LEVEL / np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    crossed = np.array([[0.8, 0.2], [0.2, 0.8]], dry.dtype) @ dry
    wet: Sound = oaconvolve(crossed, np.ascontiguousarray(response, dry.dtype), axes=1)[:, : dry.shape[1]]
    return wet
