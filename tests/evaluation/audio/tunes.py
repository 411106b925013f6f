"""Synthetic tunes, each with its own instrument, key and beat, so that every metric can tell them apart."""

from dataclasses import dataclass

import numpy as np

from tests.partials import falling, harmonics

RATE = 44100
MAJOR = (0, 2, 4, 5, 7, 9, 11, 12)


@dataclass(frozen=True)
class Album:
    """What all tracks of an album share: how fast its partials fall off, and how loud its drum is."""

    falloff: float
    drum: float


FLUTES, REEDS = Album(falloff=2.2, drum=0.02), Album(falloff=0.5, drum=0.1)


def tune(album: Album, track: int, seconds: float, beat: float = 0.5, seed: int = 0) -> np.ndarray:
    """Returns samples (n,): a random melody with a note and a drum on each beat. Tracks differ in key and octave."""
    rng = np.random.default_rng((track, seed))
    samples = np.zeros(round((seconds + 2) * RATE))
    root = 48 + 5 * track
    time = np.arange(round(1.2 * beat * RATE)) / RATE
    fading = 0.1 * np.exp(-time / (0.6 * beat)) * np.minimum(1.0, time / 0.005)
    # The drum is the same at every beat but for its level: a real one differs less than two draws of noise.
    drum = np.random.default_rng(1).standard_normal(len(time)) * np.exp(-time / 0.03)
    for i in range(int(seconds / beat) + 1):
        pitch = 440.0 * 2.0 ** ((root + rng.choice(MAJOR) - 69) / 12)
        note = harmonics(pitch, len(time), falling(min(12, int(15000 / pitch)), album.falloff))
        at = round(i * beat * RATE)
        samples[at : at + len(time)] += fading * note + album.drum * rng.uniform(0.7, 1.0) * drum
    return samples[: round(seconds * RATE)]


def shuffled(samples: np.ndarray, seconds: float, seed: int = 0) -> np.ndarray:
    """Cuts sound into pieces of about so many seconds, each of its own length, and shuffles them."""
    rng = np.random.default_rng(seed)
    cuts = np.cumsum(rng.uniform(0.7 * seconds, 1.3 * seconds, int(2 * len(samples) / seconds / RATE)) * RATE)
    pieces = np.split(samples, cuts[cuts < len(samples)].astype(int))
    return np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
