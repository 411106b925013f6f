"""Acoustic fingerprints: what tells one recording from others after resampling, re-encoding or a change of its level.

A fingerprint holds the energy of 12 bands at 24 places that are spread over the recording, a second each, in decibels
below the loudest. It is a coarse spectrogram, as in Haitsma and Kalker (2002), kept as levels instead of signs: the
signs of differences are chance where music is steady.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from music_composer.audio.frames import band_centres, floor
from music_composer.data.frame_arrays import FrameArray
from music_composer.options import FrameOptions

PLACES, BANDS = 24, 12
PLACE_SECONDS = 1.0
LOWEST_HZ, HIGHEST_HZ = 80.0, 5000.0  # what every encoder and sample rate keeps
RANGE_DB = 40.0  # what is quieter than this below the loudest is not compared: encoders leave it out
STEPS_PER_DB = 4
SHORTEST_SECONDS = 2.0  # of a recording: what is shorter is told apart by its bytes alone
SAME_DB = 1.5  # mean difference up to which two recordings are one
SAME_LENGTH = 16, 0.002  # frames, and share of the length, by which the lengths of one recording may differ


def fingerprint_of(frames: FrameArray, options: FrameOptions) -> str:
    """The fingerprint of a recording's frames (frames, channels, bands), as text; "" for what is too short or silent.

    The frames are all of the recording, silent ends included, so that places do not move with its level.
    """
    rate, total = options.frames_per_second, len(frames)
    if total < SHORTEST_SECONDS * rate:
        return ""
    length = round(PLACE_SECONDS * rate)
    starts = np.linspace(0, total - length, PLACES).astype(int)
    groups = _groups(options)
    power = np.zeros((PLACES, BANDS))
    for place, start in enumerate(starts):
        mid = np.asarray(frames[int(start) : int(start) + length], np.float32)[:, 0]
        energy = np.maximum(np.exp(2 * mid).mean(axis=0) - floor(options) ** 2, 0)
        power[place] = np.bincount(groups[groups < BANDS], energy[groups < BANDS], BANDS)
    loudest = power.max()
    if loudest <= (10 * floor(options)) ** 2:
        return ""
    levels = 10 * np.log10(power / loudest + 1e-12) + RANGE_DB
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


def _groups(options: FrameOptions) -> np.ndarray:
    """Which of the fingerprint's bands each band of a frame belongs to, (bands,); BANDS for none."""
    hertz = band_centres(options) * options.rate / options.window
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    found = np.searchsorted(edges, hertz, side="right") - 1
    return np.where((found < 0) | (found >= BANDS), BANDS, found)
