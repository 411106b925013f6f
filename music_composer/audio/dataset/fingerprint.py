"""The acoustic fingerprint of a recording, made from its frames. `data.fingerprints` compares fingerprints."""

from __future__ import annotations

import numpy as np

from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import band_centres, floor
from music_composer.data.fingerprints import BANDS, PLACES, RANGE_DB, text_of

PLACE_SECONDS = 1.0
LOWEST_HZ, HIGHEST_HZ = 80.0, 5000.0  # the range that every encoder and sample rate keeps
SHORTEST_SECONDS = 2.0  # of a recording; shorter ones are compared by their bytes alone


def acoustic_fingerprint_of(frames: FrameArray, options: FrameOptions) -> str:
    """Returns the fingerprint of frames (frames, channels, bands) as text; "" when they are too few or silent.

    The frames cover all of the recording, silent ends included, so that places do not move with its level.
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
    return text_of(levels)


def _groups(options: FrameOptions) -> np.ndarray:
    """Returns which band of the fingerprint each band of a frame belongs to, (bands,); BANDS for none."""
    hertz = band_centres(options) * options.rate / options.window
    edges = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1)
    found = np.searchsorted(edges, hertz, side="right") - 1
    return np.where((found < 0) | (found >= BANDS), BANDS, found)
