"""Harmonic tones for the music of tests, which strikes the same few pitches again and again."""

import functools

import numpy as np

RATE = 44100


@functools.lru_cache(maxsize=256)
def harmonics(hertz: float, samples: int, levels: tuple[float, ...], rate: int = RATE) -> np.ndarray:
    """Sines at the multiples of a frequency, float64 (samples,), read only. levels: of each from the first on."""
    time = np.arange(samples) / rate
    tone = np.asarray(sum(level * np.sin(2 * np.pi * hertz * k * time) for k, level in enumerate(levels, 1)))
    tone.setflags(write=False)
    return tone


def falling(count: int, power: float) -> tuple[float, ...]:
    """Levels of so many partials: the k-th is 1 / k**power."""
    return tuple(1 / k**power for k in range(1, count + 1))
