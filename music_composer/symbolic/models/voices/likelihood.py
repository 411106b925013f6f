"""How likely pieces are under a trained voices model, step by step, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece, decisions_of, voices_inputs
from music_composer.symbolic.options import VoicesOptions

BATCH = 8
Judge = Callable[[list[np.ndarray]], np.ndarray]  # a model's inputs -> log likelihood of each step, (batch, steps)


def likelihood_of(judge: Judge, pieces: Sequence[Piece], options: VoicesOptions, told: int = 0) -> list[np.ndarray]:
    """Natural log likelihood of each step of whole pieces, (steps,) each.

    told: the transposition that the model is told of; the pieces stay as they are.
    """
    most = decisions_of(pieces)
    found: dict[int, np.ndarray] = {}
    order = sorted(range(len(pieces)), key=lambda i: pieces[i].steps)
    for first in range(0, len(order), BATCH):
        numbers = order[first : first + BATCH]
        shifts = [0] * len(numbers)
        inputs = voices_inputs([pieces[i] for i in numbers], shifts, options, most, [told] * len(numbers))
        for i, row in zip(numbers, judge(inputs), strict=True):
            found[i] = np.asarray(row[: pieces[i].steps], np.float64)
    return [found[i] for i in range(len(pieces))]


def any_key(judge: Judge, pieces: Sequence[Piece], options: VoicesOptions) -> list[np.ndarray]:
    """The same where nobody says how a piece was transposed: an even mixture over all transpositions of whole pieces.

    Given step by step, each under the transpositions as the steps before make them likely.
    """
    tokens = range(LOWEST_SHIFT, LOWEST_SHIFT + options.shifts)
    told = [likelihood_of(judge, pieces, options, shift) for shift in tokens]
    mixed = []
    for each in zip(*told, strict=True):
        so_far = np.logaddexp.reduce(np.cumsum(each, axis=1), axis=0) - np.log(len(each))
        mixed.append(np.diff(so_far, prepend=0.0))
    return mixed
