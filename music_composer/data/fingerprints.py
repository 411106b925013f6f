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
    known = [i for i, text in enumerate(fingerprints) if text]
    if len(known) < 2:
        return []
    from scipy.spatial import cKDTree  # takes half a second, and only a split needs it

    levels = np.stack([_levels(fingerprints[i]) for i in known])
    frames = np.array([lengths[i] for i in known], np.int64)
    # Means over time differ by no more than the levels do, so a search among them loses no pair.
    means = levels.reshape(-1, PLACES, BANDS).mean(axis=1)
    pairs = cKDTree(means).query_pairs(SAME_DB * BANDS, p=1, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    few, share = SAME_LENGTH
    one, other = pairs.T
    near = np.abs(frames[one] - frames[other]) <= few + share * np.minimum(frames[one], frames[other])
    return [(known[i], known[j]) for i, j in pairs[near].tolist() if np.abs(levels[i] - levels[j]).mean() <= SAME_DB]


def _levels(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(np.float32) / STEPS_PER_DB
