"""A pitch class sees the shares of the others from itself upward, the same in every key."""

import numpy as np
import pytest

from music_composer.layers.key_relative import Tonality, key_relative_shares, over_pitches

pytestmark = pytest.mark.journey


def test_each_class_sees_the_shares_of_those_above_it():
    key_history = np.zeros((2, 12), np.float32)
    key_history[0, [0, 4, 7]] = 2  # a C major chord, then a lone B
    key_history[1, 11] = 5
    shares = np.asarray(key_relative_shares(key_history)).reshape(12, 2, 12)
    assert np.flatnonzero(shares[0, 0]).tolist() == [0, 4, 7]
    assert np.flatnonzero(shares[9, 0]).tolist() == [3, 7, 10]
    assert np.flatnonzero(shares[9, 1]).tolist() == [2]
    assert shares.sum(axis=-1) == pytest.approx(1)


def test_silence_has_no_shares():
    assert not np.asarray(key_relative_shares(np.zeros((4, 3, 12), np.float32))).any()


def test_shares_are_the_same_in_every_key():
    key_history = np.random.default_rng(0).random((5, 3, 12)).astype(np.float32)
    here, higher = (np.asarray(key_relative_shares(each)) for each in (key_history, np.roll(key_history, 5, axis=-1)))
    assert higher == pytest.approx(np.roll(here, 5, axis=1), abs=1e-6)


def test_each_pitch_has_the_value_of_its_class():
    by_class = np.arange(24, dtype=np.float32).reshape(2, 12)
    assert np.array_equal(np.asarray(over_pitches(by_class, 30)), by_class[:, np.arange(30) % 12])


def test_scores_move_with_the_key():
    rng = np.random.default_rng(0)
    key_history, hidden = rng.random((5, 3, 12)).astype(np.float32), rng.normal(size=(5, 4)).astype(np.float32)
    layer = Tonality(8, kinds=2)
    here, higher = (
        np.asarray(layer(hidden, layer.features(each))) for each in (key_history, np.roll(key_history, 5, axis=-1))
    )
    assert here.shape == (5, 2, 12) and np.ptp(here, axis=-1).max() > 0.01
    assert higher == pytest.approx(np.roll(here, 5, axis=-1), abs=1e-5)
