"""Acoustic fingerprints: what tells one recording from others after resampling, re-encoding or a change of its level.

A fingerprint holds the energy of 12 bands at 24 places that are spread over the recording, a second each, in decibels
below the loudest. It is a coarse spectrogram, as in Haitsma and Kalker (2002), kept as levels instead of signs: the
signs of differences are chance where music is steady. `audio.dataset.fingerprint` makes one from frames.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np

PLACES, BANDS = 24, 12
RANGE_DB = 40.0  # what is quieter than this below the loudest is not compared: encoders leave it out
STEPS_PER_DB = 4
SAME_DB = 1.5  # mean difference up to which two recordings are one
BLOCK, COMPARED = 256, 65536  # recordings, and pairs, that are compared at a time
SAME_LENGTH = 16, 0.002  # frames, and share of the length, by which the lengths of one recording may differ


def text_of(levels: np.ndarray) -> str:
    """The fingerprint of levels (PLACES, BANDS), decibels above what is too quiet to be compared."""
    return base64.b64encode(np.rint(STEPS_PER_DB * np.maximum(levels, 0)).astype(np.uint8).tobytes()).decode("ascii")


def is_fingerprint(text: str) -> bool:
    """Whether a text from a file is one that `fingerprint_of` may have returned."""
    if not text:
        return True
    try:
        return len(base64.b64decode(text, validate=True)) == PLACES * BANDS
    except (ValueError, binascii.Error):
        return False


def same_recordings(fingerprints: Sequence[str], lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of numbers of recordings that are one and the same. lengths: frames of each."""
    known = np.array([i for i, text in enumerate(fingerprints) if text], np.int64)
    if len(known) < 2:
        return []
    known = known[np.argsort([lengths[i] for i in known], kind="stable")]
    steps = np.stack([_steps(fingerprints[i]) for i in known])
    frames = np.array([lengths[i] for i in known], np.int64)
    # Means over places differ by no more than the levels do, so a search among them loses no pair.
    means, coarse = (_means(steps, parts) for parts in (1, 4))
    found = []
    # In blocks, with what may be as long: all at once there may be very many pairs that only look alike.
    for first in range(0, len(known), BLOCK):
        stop = min(first + BLOCK, len(known))
        end = int(np.searchsorted(frames, frames[stop - 1] + _tolerance(frames[stop - 1]), side="right"))
        pairs = _near(means[first:end], stop - first) + first
        one, other = pairs.T
        pairs = pairs[frames[other] - frames[one] <= _tolerance(frames[one])]
        found.append(_alike(_alike(pairs, coarse), steps))
    pairs = np.sort(known[np.concatenate(found)], axis=1)
    return [(int(one), int(other)) for one, other in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]]


def _near(means: np.ndarray, count: int) -> np.ndarray:
    """Pairs (pairs, 2) of one of the first `count` and one after it whose means (recordings, BANDS) are near.

    All are compared: a tree takes longer in so many dimensions.
    """
    from scipy.spatial.distance import cdist  # takes half a second, and only a split needs it

    most = SAME_DB * STEPS_PER_DB * BANDS
    one, other = np.nonzero(cdist(means[:count], means, "cityblock") <= most)
    return np.stack([one, other], axis=1)[one < other]


def _alike(pairs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Those of the pairs whose steps (recordings, values) differ by less than SAME_DB in the mean."""
    kept = [np.zeros(0, bool)]
    for at in range(0, len(pairs), COMPARED):
        one, other = pairs[at : at + COMPARED].T
        differences = np.abs(steps[one].astype(np.float32) - steps[other])
        kept.append(differences.mean(axis=1) <= SAME_DB * STEPS_PER_DB)
    return pairs[np.concatenate(kept)]


def _tolerance(frames: np.ndarray) -> np.ndarray:
    """How much longer the same recording may be."""
    few, share = SAME_LENGTH
    return np.asarray(few + share * frames)


def _means(steps: np.ndarray, parts: int) -> np.ndarray:
    """Steps (recordings, PLACES * BANDS) -> means over the places of each part, (recordings, parts * BANDS)."""
    shaped = steps.reshape(len(steps), parts, PLACES // parts, BANDS)
    return shaped.mean(axis=2, dtype=np.float32).reshape(len(steps), -1)


def _steps(text: str) -> np.ndarray:
    """The levels of a fingerprint in steps, uint8 (PLACES * BANDS,)."""
    return np.frombuffer(base64.b64decode(text), np.uint8)
