"""The exact likelihood of pieces under a trained voices model, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece, decisions_of, voices_inputs
from music_composer.symbolic.options import VoicesOptions

BATCH = 8
Forward = Callable[[list[np.ndarray]], np.ndarray]  # a network's inputs -> log likelihood of each step, (batch, steps)


def likelihood_of(
    forward: Forward, pieces: Sequence[Piece], options: VoicesOptions, condition: int = 0
) -> list[np.ndarray]:
    """Natural log likelihood of each step of whole pieces, one array (steps,) for each piece.

    condition: the transposition in semitones that the network is told. The pieces stay as they are.
    """
    max_decisions = decisions_of(pieces)
    likelihoods: dict[int, np.ndarray] = {}
    # Pieces of similar length share a batch, so that little is padding.
    order = sorted(range(len(pieces)), key=lambda i: pieces[i].steps)
    for first in range(0, len(order), BATCH):
        batch = order[first : first + BATCH]
        shifts, conditions = [0] * len(batch), [condition] * len(batch)
        inputs = voices_inputs([pieces[i] for i in batch], shifts, options, max_decisions, conditions)
        for i, row in zip(batch, forward(inputs), strict=True):
            likelihoods[i] = np.asarray(row[: pieces[i].steps], np.float64)
    return [likelihoods[i] for i in range(len(pieces))]


def any_key(forward: Forward, pieces: Sequence[Piece], options: VoicesOptions) -> list[np.ndarray]:
    """The same without telling the network a transposition: an even mixture over all of them, for whole pieces.

    The mixture is given step by step: each step is conditioned on the steps before, which make some transpositions
    more probable than others.
    """
    conditions = range(LOWEST_SHIFT, LOWEST_SHIFT + options.shifts)
    by_condition = [likelihood_of(forward, pieces, options, condition) for condition in conditions]
    mixed = []
    for likelihoods in zip(*by_condition, strict=True):
        # log of the mean probability of all steps so far; its differences are the conditional log probabilities.
        cumulative = np.logaddexp.reduce(np.cumsum(likelihoods, axis=1), axis=0) - np.log(len(likelihoods))
        mixed.append(np.diff(cumulative, prepend=0.0))
    return mixed
