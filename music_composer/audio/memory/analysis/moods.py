"""Moods of a prompt, and how unfamiliar other music is to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.views import ViewOptions, mood_view

SPREAD, MIN_SPREAD = 0.15, 0.02  # of moods: where it is unknown, and at least
FAMILIAR, FARTHEST = 2.0, 6.0  # in spreads: distance that is still familiar, and largest distance that counts


def moods_of(ends: Sequence[np.ndarray], views: ViewOptions) -> tuple[np.ndarray, float]:
    """Returns the moods of the ends of prompts, (moments, components), and the spread of the most varied prompt.

    ends: (steps, components) each. The spread is 1 minus the median cosine of a moment and the most similar moment
    without common steps; `SPREAD` where all moments overlap.
    """
    moods, spreads = [], []
    for end in ends:
        moments = np.arange(len(end) - 1, -1, -views.mood)[::-1]
        moods.append(mood_view(end, views, moments))
        # Moments that share steps are alike without saying anything about the prompt.
        apart = np.abs(np.subtract.outer(moments, moments)) >= 2 * views.mood
        alike = np.where(apart, moods[-1] @ moods[-1].T, np.float32(-1.0)).max(axis=1)[apart.any(axis=1)]
        spreads.append(max(1.0 - float(np.median(alike)), MIN_SPREAD) if len(alike) else SPREAD)
    return np.concatenate(moods), max(spreads)


def beyond_familiar(alike: np.ndarray, spread: float) -> np.ndarray:
    """Returns how far moods lie beyond the familiar: spreads, float32. alike: their cosines with the nearest mood."""
    far: np.ndarray = ((1.0 - alike) / spread - FAMILIAR).clip(0.0, FARTHEST).astype(np.float32)
    return far
