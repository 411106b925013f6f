"""Benchmark files keep their division; nats are counted over all steps."""

import numpy as np
import pytest
import scipy.io

from music_composer.errors import ScoreError
from music_composer.evaluation.symbolic.benchmark_files import (
    PIANO_KEYS,
    UNIFORM,
    mixture,
    nats_a_step,
    read_benchmark,
    transposed,
)


def cells(*rolls):
    filled = np.empty((1, len(rolls)), object)
    filled[0] = rolls
    return filled


def roll(steps, seed=0):
    return (np.random.default_rng(seed).random((steps, PIANO_KEYS)) < 0.05).astype(np.uint8)


def uniform(pieces):
    """A uniform model: every key is on or off with equal probability."""
    return [np.full(len(piece), -PIANO_KEYS * np.log(2)) for piece in pieces]


def test_benchmark_files_round_trip(tmp_path):
    parts = {"traindata": cells(roll(5), roll(9, 1)), "validdata": cells(roll(4, 2)), "testdata": cells(roll(1, 3))}
    scipy.io.savemat(tmp_path / "a.mat", parts)
    read = read_benchmark(tmp_path / "a.mat")
    assert [len(read.training), len(read.validation), len(read.test)] == [2, 1, 1]
    assert np.array_equal(read.training[1], roll(9, 1) > 0)


def test_a_uniform_model_scores_88_bits():
    found = nats_a_step([roll(5), roll(8)], uniform)
    assert (found.every, found.after_first, found.steps) == pytest.approx((60.997, 60.997, 13), abs=1e-3)
    assert pytest.approx(60.997, abs=1e-3) == UNIFORM


def test_nats_are_over_all_steps_and_not_a_mean_of_means():
    lengths = [1, 9]
    found = nats_a_step([roll(n) for n in lengths], lambda pieces: [np.full(1, -10.0), np.array([-4.0] + [-1.0] * 8)])
    assert found.every == pytest.approx(22 / 10)
    assert found.after_first == pytest.approx(8 / 8)


def test_likelihoods_of_another_length_are_refused():
    with pytest.raises(ValueError, match="5 steps has likelihoods of 6"):
        nats_a_step([roll(5)], lambda pieces: [np.zeros(6)])


def test_a_mixture_is_the_mean_of_probabilities():
    found = mixture([[np.log([0.5, 0.1])], [np.log([0.1, 0.1])]])
    assert np.exp(found[0]) == pytest.approx([0.3, 0.1])


def test_a_piece_is_transposed_if_it_stays_on_the_keys():
    piece = np.zeros((2, PIANO_KEYS), bool)
    piece[0, 3] = piece[1, 80] = True
    up = transposed(piece, 7)
    assert np.flatnonzero(up[0]).tolist() == [10]
    assert np.flatnonzero(up[1]).tolist() == [87]
    assert np.array_equal(transposed(up, -7), piece)
    assert np.array_equal(transposed(piece, 8), piece)
    assert np.array_equal(transposed(piece, -4), piece)
    assert not transposed(np.zeros((2, PIANO_KEYS), bool), 5).any()


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "no MATLAB file"), (b"Dear diary, " * 40, "no MATLAB file"), (None, "cannot be opened")]
)
def test_other_files_are_refused_by_name(tmp_path, content, said):
    path = tmp_path / "a.mat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScoreError, match=said) as error:
        read_benchmark(path)
    assert str(path) in str(error.value)


def test_other_contents_are_refused_by_name(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"traindata": cells(roll(5))})
    with pytest.raises(ScoreError, match="has no validdata and no testdata"):
        read_benchmark(tmp_path / "a.mat")
    narrow = {name: cells(roll(5)[:, :12], roll(4)) for name in ("traindata", "validdata", "testdata")}
    scipy.io.savemat(tmp_path / "b.mat", narrow)
    with pytest.raises(ScoreError, match="something other than piano rolls of 88 keys"):
        read_benchmark(tmp_path / "b.mat")
