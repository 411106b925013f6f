"""Plays within bounds: a beginning that is given, a voice that is kept, a gap between two sides are all locked notes.

Where notes are locked later than others are drawn, one pass would draw without knowing what is to come. So several
drafts of each sample are played side by side; every few steps drafts that left little room for what was locked give
way to copies of those that left more (sequential Monte Carlo, Gordon, Salmond & Smith 1993). What comes out is drawn,
the more drafts the nearer, from the model's pieces in which these notes sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from music_composer.symbolic.voices.bounds import Bounds
from music_composer.symbolic.voices.player import VoicesPlayer

CHUNK = 16  # steps between two looks at the drafts
FEWEST = 0.5  # share of the drafts that must be worth something, or they are drawn anew


def play_within(
    player: VoicesPlayer,
    samples: Sequence[Bounds],
    rngs: Sequence[np.random.Generator],
    temperature: float = 1.0,
    drafts: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Chords and manners of samples of equal length, int (samples, steps, most) both.

    A sample depends on its bounds and its own random generator alone.
    """
    steps, batch = samples[0].steps, len(samples) * drafts
    state = player.initial_state(batch)
    chords, manners = np.zeros((2, batch, 0, player.most), np.int32)
    weights = np.zeros((len(samples), drafts))
    warmth = np.full(batch, temperature, np.float32)
    shift = np.repeat(np.array([sample.shift for sample in samples], np.int32), drafts)
    for first in range(0, steps, CHUNK):
        bounds = [np.repeat(each, drafts, axis=0) for each in _chunk(samples, first)]
        draws = np.concatenate([rng.random((drafts, CHUNK, player.most, 2), np.float32) for rng in rngs])
        inputs = [bounds[0], draws, *bounds[1:], shift, warmth, *state]
        chord, manner, shares, *state = player.predict_on_batch(inputs)
        kept = min(CHUNK, steps - first)
        chords, manners = (
            np.concatenate([whole, part[:, :kept]], axis=1) for whole, part in ((chords, chord), (manners, manner))
        )
        weights += shares[:, :kept].sum(axis=1).reshape(weights.shape)
        weights, chosen = _drawn_anew(weights, rngs, last=first + CHUNK >= steps)
        chords, manners, *state = (each[chosen] for each in (chords, manners, *state))
    first_drafts = slice(None, None, drafts)
    return chords[first_drafts], manners[first_drafts]


def _chunk(samples: Sequence[Bounds], first: int) -> list[np.ndarray]:
    """clock, allowed, locked and fullest of CHUNK steps, the last ones repeated at the end."""
    at = np.minimum(np.arange(first, first + CHUNK), samples[0].steps - 1)
    kinds = {"clock": np.float32, "allowed": np.float32, "locked": np.int32, "fullest": np.int32}
    return [np.stack([getattr(sample, name)[at] for sample in samples]).astype(kind) for name, kind in kinds.items()]


def _drawn_anew(weights: np.ndarray, rngs: Sequence[np.random.Generator], last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which drafts go on, as indices (samples * drafts,), and their weights, logarithms (samples, drafts).

    At the last look the first draft is one drawn by weight: the one that is kept.
    """
    drafts = weights.shape[1]
    chosen = np.arange(weights.size).reshape(weights.shape)
    weights = weights - weights.max(axis=1, keepdims=True)
    for i, rng in enumerate(rngs):
        share = np.exp(weights[i]) / np.exp(weights[i]).sum()
        place = rng.random()  # drawn in any case, so that what is played later does not depend on the weights
        if last or 1 / (share**2).sum() < FEWEST * drafts:
            spread = (place + np.arange(drafts)) / drafts if not last else np.full(drafts, place)
            found = np.searchsorted(np.cumsum(share), spread, side="right")
            chosen[i] = i * drafts + np.minimum(found, drafts - 1)
            weights[i] = 0.0
    return weights, chosen.reshape(-1)
