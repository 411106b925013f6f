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
    """The room's answer to stereo sound (samples, 2): dark, decaying noise, unlike on the two sides."""
    length = round(REVERB_SECONDS * rate)
    noise = np.random.default_rng(REVERB_SEED).standard_normal((length, 2))
    pole = np.exp(-2 * np.pi * 3000 / rate)  # walls swallow what lies above some 3 kHz
    response = lfilter([1 - pole], [1, -pole], noise, axis=0) * 1000 ** (-np.arange(length) / length)[:, None]
    response *= REVERB_LEVEL / np.sqrt(np.sum(response**2, axis=0))
    crossed = dry @ np.array([[0.8, 0.2], [0.2, 0.8]])
    wet: Sound = oaconvolve(crossed, response, axes=0)[: len(dry)]
    return wet
