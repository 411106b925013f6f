"""The likelihood of the voices model is one: exact, causal, and the same however pieces are batched."""

import itertools

import numpy as np
import pytest

from tests.symbolic.small_voices import PITCHES, inputs_of, small_model, some_piece


@pytest.fixture(scope="module")
def model():
    return small_model()


def likelihood(model, pieces, steps=0):
    return np.asarray(model(inputs_of(pieces, steps)))


@pytest.mark.parametrize("step", [0, 1, 4])
def test_the_probabilities_of_all_chords_add_up_to_one(model, step):
    pieces = []
    for chord in itertools.product([False, True], repeat=PITCHES):
        piece = some_piece(1)
        piece[step] = chord
        pieces.append(piece)
    inputs = inputs_of(pieces)
    inputs[3] = np.zeros(len(pieces), int)
    assert np.exp(np.asarray(model(inputs))[:, step]).sum() == pytest.approx(1, abs=1e-5)


def test_later_steps_change_nothing_before_them(model):
    piece, other = some_piece(2), some_piece(2)
    other[4:] = some_piece(5)[4:]
    assert np.any(piece[4] != other[4])
    found, changed = likelihood(model, [piece])[0], likelihood(model, [other])[0]
    assert found[:4] == pytest.approx(changed[:4], abs=1e-6)
    assert abs(found[4] - changed[4]) > 1e-3


def test_the_past_is_heard(model):
    piece, other = some_piece(2), some_piece(2)
    other[1] = ~other[1]
    assert abs(likelihood(model, [piece])[0, 5] - likelihood(model, [other])[0, 5]) > 1e-4


def test_a_batch_and_what_it_is_filled_up_with_change_nothing(model):
    one, two, three = some_piece(1, 4), some_piece(2, 7), some_piece(3, 5)
    together = likelihood(model, [one, two, three], steps=11)
    assert likelihood(model, [one])[0, :4] == pytest.approx(together[0, :4], abs=1e-5)
    turned = likelihood(model, [three, two, one], steps=9)
    assert turned[0, :5] == pytest.approx(together[2, :5], abs=1e-5)
    assert turned[2, :4] == pytest.approx(together[0, :4], abs=1e-5)


def test_the_transposition_that_is_told_is_heard(model):
    piece = some_piece(4)
    zero, one = likelihood(model, [piece, piece])
    assert abs(zero.sum() - one.sum()) > 1e-3
