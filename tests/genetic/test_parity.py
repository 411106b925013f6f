"""The same weights give the same notes and ratings as in bach_generator."""

import numpy as np
import pytest
import scipy.stats

from music_composer.genetic.fitness import generated_codes, ratings, task_of
from music_composer.genetic.networks import Networks, forward, forward_in_order
from music_composer.genetic.quantiser import by_frequency, quantised
from music_composer.genetic.themes import windows
from tests.genetic import plain


def networks_of(kind, *models):
    return Networks(
        kind, "none", tuple(np.stack([np.array(layer, float) for layer in each]) for each in zip(*models, strict=True))
    )


def random_model(kind, rng, inputs, hidden):
    sizes = [inputs, *hidden, 1] + ([1] if kind == "matrix" else [])
    draw = rng.random if kind == "matrix" else lambda shape: rng.integers(0, 101, shape) / 100
    return [draw(shape) for shape in zip(sizes, sizes[1:], strict=False)]


@pytest.mark.parametrize("kind", ["matrix", "object"])
@pytest.mark.parametrize("seed", range(15))
def test_random_networks_play_and_rate_the_same(kind, seed):
    rng = np.random.default_rng(seed)
    inputs, hidden = int(rng.integers(1, 12)), [int(n) for n in rng.integers(1, 9, rng.integers(0, 3))]
    codes = rng.integers(0, rng.integers(2, 30), rng.integers(3, 80))
    codes[:2] = 0, 1  # two symbols at least
    models = [random_model(kind, rng, inputs, hidden) for _ in range(4)]
    task = task_of(codes, windows([codes], inputs))
    networks = networks_of(kind, *models)
    assert forward_in_order(networks, task.inputs) == pytest.approx(forward(networks, task.inputs))
    found, rated = generated_codes(networks, task), ratings(networks, task)
    for model, notes, rating in zip(models, found, rated, strict=True):
        theirs = plain.quantised(plain.forward(kind, [w.tolist() for w in model], codes.tolist()), codes.tolist())
        assert notes.tolist() == theirs
        if len(set(theirs)) > 1:
            assert rating == pytest.approx(scipy.stats.pearsonr(codes, theirs)[0], abs=1e-6)


def test_a_network_computed_by_hand():
    """Two inputs, weights 1 and 10: answers are the newest code times ten and the one before, but for the first."""
    codes = np.array([0, 1, 2, 1])
    inputs = windows([codes], 2)
    assert inputs.tolist() == [[0, 0], [0, 1], [1, 2], [2, 1]]
    sums = networks_of("matrix", [[[1], [10]], [[1]]])
    assert forward(sums, inputs).tolist() == [[0, 10, 21, 12]]
    means = networks_of("object", [[[1], [10]]])
    assert forward(means, inputs).tolist() == [[0, 5, 10.5, 6]]
    # 21 / 3 symbols is 7 a level: 0, 10 / 7, 3 and 12 / 7, so levels 0, 1, 3 and 2, each once, in this order; code 1 is
    # the most frequent, then 0 and 2; the fourth level is left with code 0.
    assert by_frequency(codes).tolist() == [1, 0, 2]
    assert generated_codes(sums, task_of(codes, inputs)).tolist() == [[1, 0, 2, 0]]


def test_short_windows_are_padded_at_the_end():
    codes = np.array([3, 4, 5])
    assert windows([codes], 4).tolist() == [[3, 0, 0, 0], [3, 4, 0, 0], [3, 4, 5, 0]]
    assert windows([codes], 2).tolist() == [[3, 0], [3, 4], [4, 5]]
    assert windows([codes, codes[:1]], 2).tolist() == [[3, 0], [3, 4], [4, 5], [3, 0]]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0, 0, 4, 2], [5, 5, 7, 9]),  # the most frequent level is the most frequent code; then who came first
        ([4, 2, 0, 0], [7, 9, 5, 5]),
        ([0, 1, 3, 4], [5, 7, 9, 0]),  # one level more than there are codes
        ([4, 3, 1, 0], [5, 7, 9, 0]),
        ([0, 0.5, 1.5, 4], [5, 5, 7, 9]),  # halves go to the even level
    ],
)
def test_levels_become_codes_by_frequency_then_by_first_appearance(levels, expected):
    ranked = np.array([5, 7, 9])
    scaled = np.array([levels]) * 0.75  # the highest level that there is, 3, is 4 / 4 of three codes
    if levels == [0, 0.5, 1.5, 4]:
        ranked, scaled, expected = np.array([5, 7, 9, 11]), np.array([levels]), [5, 5, 7, 9]
    assert quantised(scaled, ranked).decoded.tolist() == [expected]


def test_a_single_note_throughout_is_rated_0():
    codes = np.array([0, 1, 2])
    silent = networks_of("matrix", [[[0]], [[1]]])
    task = task_of(codes, windows([codes], 1))
    assert ratings(silent, task).tolist() == [0.0]
    assert generated_codes(silent, task).tolist() == [[0, 0, 0]]


def test_a_copy_is_rated_1():
    codes = np.array([0, 1, 1, 2, 2, 2])
    copies = networks_of("matrix", [[[1]], [[1]]])
    assert generated_codes(copies, task_of(codes, windows([codes], 1)))[0].tolist() == plain.quantised(
        codes.tolist(), codes.tolist()
    )
