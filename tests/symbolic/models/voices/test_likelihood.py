"""Likelihoods are returned in the order of the pieces, for one transposition or a mixture of all."""

import numpy as np
import pytest

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece
from music_composer.symbolic.models.voices.likelihood import any_key, likelihood_of
from music_composer.symbolic.options import VoicesOptions

OPTIONS = VoicesOptions(pitches=12, voices=3, clock=2)


def pieces_of(*lengths):
    """Their clock holds the number of the piece and that of the step."""
    pieces = []
    for number, steps in enumerate(lengths):
        clock = np.stack([np.full(steps, number), np.arange(steps)], axis=1).astype(np.float32)
        pieces.append(Piece(np.zeros((steps, 12), bool), clock))
    return pieces


def by_place(inputs):
    _, _, _, _, clock, *_ = inputs
    return 100 * clock[..., 0] + clock[..., 1]


def test_likelihoods_come_back_to_their_pieces():
    pieces = pieces_of(45, 3, 20, 8, 70, 1, 2, 9, 33)
    found = likelihood_of(by_place, pieces, OPTIONS)
    for number, (piece, each) in enumerate(zip(pieces, found, strict=True)):
        assert each == pytest.approx(100 * number + np.arange(piece.steps))


def test_the_mixture_costs_the_choice_of_a_key():
    def one_key(inputs):
        """Certain in one key, wrong in all others."""
        chords, shift = inputs[0], inputs[5]
        return np.broadcast_to(np.where(shift + LOWEST_SHIFT == 3, -0.5, -50.0)[:, None], chords.shape[:2])

    [found] = any_key(one_key, pieces_of(10), OPTIONS)
    assert found.sum() == pytest.approx(-0.5 * 10 - np.log(12))
    assert found[1:] == pytest.approx(np.full(9, -0.5))


def test_the_mixture_is_over_whole_pieces():
    def noisy(inputs):
        rng = np.random.default_rng(int(inputs[5][0]))
        return -rng.random(inputs[0].shape[:2]) * 3

    pieces = pieces_of(6)
    conditions = [
        likelihood_of(noisy, pieces, OPTIONS, shift)[0].sum() for shift in range(LOWEST_SHIFT, LOWEST_SHIFT + 12)
    ]
    [found] = any_key(noisy, pieces, OPTIONS)
    assert found.sum() == pytest.approx(np.logaddexp.reduce(conditions) - np.log(12))
