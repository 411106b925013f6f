"""The moods of what was heard: what sounds like none of them is strange to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.views import ViewOptions, mood_view

SPREAD, LEAST_SPREAD = 0.15, 0.02  # of moods, where none is known, and at least
FAMILIAR, FARTHEST = 2.0, 6.0  # spreads by which a mood may lie off, and beyond which none is further off


def moods_of(ends: Sequence[np.ndarray], views: ViewOptions) -> tuple[np.ndarray, float]:
    """The moods of the ends of prompts, (steps, components) each, and their spread, that of the most varied one.

    Returns (moments, components), and 1 less the cosine of a moment and the one that is most like it without any step
    in common; `SPREAD` where all have.
    """
    moods, spreads = [], []
    for end in ends:
        moments = np.arange(len(end) - 1, -1, -views.mood)[::-1]
        moods.append(mood_view(end, views, moments))
        apart = np.abs(np.subtract.outer(moments, moments)) >= 2 * views.mood
        alike = np.where(apart, moods[-1] @ moods[-1].T, np.float32(-1.0)).max(axis=1)[apart.any(axis=1)]
        spreads.append(max(1.0 - float(np.median(alike)), LEAST_SPREAD) if len(alike) else SPREAD)
    return np.concatenate(moods), max(spreads)


def beyond_familiar(alike: np.ndarray, spread: float) -> np.ndarray:
    """How far beyond what is familiar moods lie: spreads, float32. alike: their cosines with the nearest one heard."""
    far: np.ndarray = ((1.0 - alike) / spread - FAMILIAR).clip(0.0, FARTHEST).astype(np.float32)
    return far
