"""Pan, reverberation and echo."""

from __future__ import annotations

import functools

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter
from scipy.special import lambertw

from music_composer.synth.tones import Sound

REVERB_SECONDS, REVERB_LEVEL = 0.9, 0.10  # RT60; level relative to the dry sound
REVERB_SEED = 20
CROSSFEED = ((0.8, 0.2), (0.2, 0.8))  # gains from each side to each side of the room


def place(pan: float | Sound) -> Sound:
    """Gains of the left and right channel, shape (2, ...), of constant power for a pan from -1 to 1."""
    # cos**2 + sin**2 = 1: constant power.
    angle = (pan + 1) * np.pi / 4
    return np.array([np.cos(angle), np.sin(angle)])


def reverberate(dry: Sound, rate: int) -> Sound:
    """The reverberation of stereo sound (2, samples): dark, decaying noise, different on the two sides."""
    room = Reverb(rate, dry.shape[1], dry.dtype)
    return np.concatenate([room.wet(dry[:, at : at + room.step]) for at in range(0, dry.shape[1], room.step)], axis=1)


class Reverb:
    """`reverberate` for sound of `samples` in blocks of `step` (the last may be shorter), by overlap and add.

    step: the block with the least cost of transforms: about 13 s, or all.
    """

    def __init__(self, rate: int, samples: int, dtype: np.dtype) -> None:
        length = round(REVERB_SECONDS * rate)
        self.step, self._size = _transform(samples, length)
        self._spectrum = _spectrum(rate, self._size, dtype)
        self._tail = np.zeros((2, length - 1), dtype)

    def wet(self, dry: Sound) -> Sound:
        """The reverberation of the next block: (2, samples) -> (2, samples)."""
        samples, overlap = dry.shape[1], self._tail.shape[1]
        if not dry.any() and not self._tail.any():  # silence needs no transform
            return np.zeros_like(dry)
        wet = irfft(rfft(np.array(CROSSFEED, dry.dtype) @ dry, self._size) * self._spectrum, self._size)
        wet[:, :overlap] += self._tail
        self._tail = wet[:, self.step : self.step + overlap].copy()
        return np.asarray(wet[:, :samples])


class Echo:
    """A single echo of everything, `later` samples later, at `level`, with the sides exchanged."""

    def __init__(self, later: int, level: float) -> None:
        self._past = np.zeros((2, later), np.float32)
        self._level = np.float32(level)

    def process(self, dry: Sound) -> Sound:
        """The next block (2, samples) with the echo of earlier sound."""
        known = np.concatenate([self._past, dry], axis=1)
        self._past = known[:, dry.shape[1] :].copy()
        return np.asarray(dry + self._level * known[::-1, : dry.shape[1]])


def _transform(samples: int, response: int) -> tuple[int, int]:
    """Samples of a block and of its transform, as scipy.signal.oaconvolve chooses them."""
    overlap = response - 1
    size = next_fast_len(int(np.ceil(-overlap * lambertw(-1 / (2 * np.e * overlap), k=-1).real)))
    if response >= samples / 2 or size >= samples:
        return samples, next_fast_len(samples + overlap, real=True)
    return size - overlap, size


@functools.lru_cache(maxsize=2)
def _spectrum(rate: int, size: int, dtype: np.dtype) -> Sound:
    """The spectrum of the room's response, cached for further scores."""
    return np.asarray(rfft(_response(rate).astype(dtype), size))


def _response(rate: int) -> Sound:
    length = round(REVERB_SECONDS * rate)
    noise = np.random.default_rng(REVERB_SEED).standard_normal((length, 2)).T
    pole = np.exp(-2 * np.pi * 3000 / rate)  # walls absorb frequencies above about 3 kHz
    response = lfilter([1 - pole], [1, -pole], noise) * 1000 ** (-np.arange(length) / length)
    return np.asarray(response * (REVERB_LEVEL / np.sqrt(np.sum(response**2, axis=1, keepdims=True))))
