"""Degradations in increasing steps, which a metric of quality must put in order."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import scipy.signal

from music_composer.evaluation.audio.signal.spectra import Array

Damage = Callable[[Array, int, np.random.Generator], Array]


def white_noise(snr_db: float) -> Damage:
    """Adds noise `snr_db` below the mean power of the recording."""

    def add(samples: Array, rate: int, rng: np.random.Generator) -> Array:
        deviation = np.sqrt(np.mean(np.square(samples)) * 10.0 ** (-snr_db / 10.0))
        return samples + deviation * rng.standard_normal(len(samples))

    return add


def low_pass(hz: float) -> Damage:
    """Removes everything above `hz`."""

    def cut(samples: Array, rate: int, rng: np.random.Generator) -> Array:
        # Forwards and backwards: no delay, so that only the spectrum changes.
        filtered: Array = scipy.signal.sosfiltfilt(scipy.signal.butter(8, hz, fs=rate, output="sos"), samples)
        return filtered

    return cut


def gain_ramp(db_per_minute: float) -> Damage:
    """Makes the music louder, or softer for negative slopes, at a constant rate."""

    def swell(samples: Array, rate: int, rng: np.random.Generator) -> Array:
        return samples * 10.0 ** (db_per_minute * np.arange(len(samples)) / (60.0 * rate) / 20.0)

    return swell


def loop(seconds: float) -> Damage:
    """Repeats the first `seconds`."""

    def repeat(samples: Array, rate: int, rng: np.random.Generator) -> Array:
        return samples[np.arange(len(samples)) % round(seconds * rate)]

    return repeat


def shuffled_grains(seconds: float) -> Damage:
    """Cuts the music into grains of `seconds` and shuffles them."""

    def shuffle(samples: Array, rate: int, rng: np.random.Generator) -> Array:
        grain = round(seconds * rate)
        grains = samples[: len(samples) // grain * grain].reshape(-1, grain)
        mixed: Array = rng.permutation(grains).ravel()
        return mixed

    return shuffle


# Within a family each entry is worse than the one before; every one is worse than no damage.
DEGRADATIONS: Mapping[str, Mapping[str, Damage]] = MappingProxyType(
    {
        "white noise": {f"{snr} dB SNR": white_noise(snr) for snr in (40, 30, 20, 10)},
        "low-pass": {f"{hz // 1000} kHz": low_pass(hz) for hz in (8000, 4000, 2000)},
        "gain ramp": {f"{slope} dB/min": gain_ramp(slope) for slope in (10, 20, 40)},
        "loop": {f"{seconds} s": loop(seconds) for seconds in (8, 4, 1)},
        "shuffled grains": {"50 ms": shuffled_grains(0.05)},
    }
)
