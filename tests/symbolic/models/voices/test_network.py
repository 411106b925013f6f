"""The likelihood of the voices model is exact, causal, and independent of batching."""

import itertools

import numpy as np
import pytest

from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT, Piece, voices_inputs
from music_composer.training.devices import compile_arguments
from tests.symbolic.models.voices.small_voices import LEVELS, PITCHES, clock_of, inputs_of, small_model, some_piece

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module", params=[0, LEVELS], ids=["active", "articulation"])
def model(request):
    return small_model(request.param)


def likelihood(model, pieces, steps=0):
    return np.asarray(model(inputs_of(pieces, steps)))


@pytest.mark.parametrize("step", [0, 1, 4])
def test_the_probabilities_of_all_chords_add_up_to_one(step):
    model, pieces = small_model(), []
    for chord in itertools.product([False, True], repeat=PITCHES):
        piece = some_piece(1)
        piece[step] = chord
        pieces.append(piece)
    inputs = inputs_of(pieces)
    inputs[5] = np.zeros(len(pieces), int)
    assert np.exp(np.asarray(model(inputs))[:, step]).sum() == pytest.approx(1, abs=1e-5)


def test_later_steps_change_nothing_before_them(model):
    piece, other = some_piece(2), some_piece(2)
    other[4:] = some_piece(5)[4:]
    assert np.any(piece[4] != other[4])
    found, changed = likelihood(model, [piece])[0], likelihood(model, [other])[0]
    assert found[:4] == pytest.approx(changed[:4], abs=1e-6)
    assert abs(found[4] - changed[4]) > 1e-3


def test_the_past_changes_the_likelihood(model):
    piece, other = some_piece(2), some_piece(2)
    other[1] = ~other[1]
    assert abs(likelihood(model, [piece])[0, 5] - likelihood(model, [other])[0, 5]) > 1e-4


def test_batching_and_padding_change_nothing(model):
    one, two, three = some_piece(1, 4), some_piece(2, 7), some_piece(3, 5)
    together = likelihood(model, [one, two, three], steps=11)
    assert likelihood(model, [one])[0, :4] == pytest.approx(together[0, :4], rel=1e-5, abs=1e-5)
    turned = likelihood(model, [three, two, one], steps=9)
    assert turned[0, :5] == pytest.approx(together[2, :5], rel=1e-5, abs=1e-5)
    assert turned[2, :4] == pytest.approx(together[0, :4], rel=1e-5, abs=1e-5)


def test_the_transposition_condition_changes_the_likelihood(model):
    piece = some_piece(4)
    zero, one = likelihood(model, [piece, piece])
    assert abs(zero.sum() - one.sum()) > 1e-3


def test_articulations_sum_to_one_and_only_active_notes_are_held():
    model, rng = small_model(LEVELS), np.random.default_rng(2)
    y, last = rng.normal(size=(1, 5, 4, 12)).astype(np.float32), (rng.random((1, 5, PITCHES)) < 0.5).astype(np.float32)
    notes = rng.integers(0, PITCHES, (1, 5, 4))
    found = np.exp(np.asarray(model.articulation_log_probs(y, notes, last)))
    assert found.sum(axis=-1) == pytest.approx(1, abs=1e-5)
    sounded = np.take_along_axis(last, notes, axis=-1) > 0
    assert (found[..., 0] > 0)[sounded].all()
    assert (found[..., 0] == 0)[~sounded].all()


def test_the_loudness_of_onsets_changes_later_steps():
    model, inputs = small_model(LEVELS), inputs_of([some_piece(2)])
    other = [each.copy() for each in inputs]
    other[1][0, 1] = np.where(other[1][0, 1] > 0, LEVELS + 1 - other[1][0, 1], 0)
    assert np.any(other[1] != inputs[1])
    assert abs(np.asarray(model(inputs))[0, 4] - np.asarray(model(other))[0, 4]) > 1e-4


def test_batches_of_any_shape_go_through_one_graph():
    """TensorFlow forgets the lengths of axes that differ from batch to batch."""
    model = small_model(LEVELS)
    model.compile(**compile_arguments())
    for seed, (steps, max_notes) in enumerate([(40, 5), (70, 6), (100, 7)]):
        active = some_piece(seed, steps)
        active[:, max_notes - 1 :] = False
        clock = clock_of(steps)
        level = np.where(active, 1, 0)
        piece = Piece(active, clock, active, level)
        inputs = voices_inputs([piece], [0], model.options, max_notes, conditions=[LOWEST_SHIFT])
        alone = np.asarray(model(inputs))
        assert np.asarray(model.predict_on_batch(inputs)) == pytest.approx(alone, abs=1e-4)


def test_the_key_history_changes_its_own_step():
    model, inputs = small_model(), inputs_of([some_piece(2)])
    other = [each.copy() for each in inputs]
    other[3][0, 4] = np.roll(inputs[3][0, 4], 1, axis=-1)
    changed = np.abs(np.asarray(model(inputs)) - np.asarray(model(other)))[0]
    assert changed[4] > 0.1 and np.delete(changed, 4).max() < 1e-5
