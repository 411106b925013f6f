"""A pitch class hears the others from itself upwards, and the same in every key."""

import numpy as np
import pytest

from music_composer.layers.key_relative import Tonality, degrees, over_pitches


def test_each_class_is_told_of_those_above_it():
    heard = np.zeros((2, 12), np.float32)
    heard[0, [0, 4, 7]] = 2  # a C major chord, then a lone B
    heard[1, 11] = 5
    told = np.asarray(degrees(heard)).reshape(12, 2, 12)
    assert np.flatnonzero(told[0, 0]).tolist() == [0, 4, 7]
    assert np.flatnonzero(told[9, 0]).tolist() == [3, 7, 10]
    assert np.flatnonzero(told[9, 1]).tolist() == [2]
    assert told.sum(axis=-1) == pytest.approx(1)


def test_nothing_heard_is_nothing():
    assert not np.asarray(degrees(np.zeros((4, 3, 12), np.float32))).any()


def test_a_degree_is_the_same_in_every_key():
    heard = np.random.default_rng(0).random((5, 3, 12)).astype(np.float32)
    here, higher = (np.asarray(degrees(each)) for each in (heard, np.roll(heard, 5, axis=-1)))
    assert higher == pytest.approx(np.roll(here, 5, axis=1), abs=1e-6)


def test_each_pitch_has_the_weight_of_its_class():
    by_class = np.arange(24, dtype=np.float32).reshape(2, 12)
    assert np.array_equal(np.asarray(over_pitches(by_class, 30)), by_class[:, np.arange(30) % 12])


def test_music_in_another_key_is_weighed_as_in_its_own():
    rng = np.random.default_rng(0)
    heard, hidden = rng.random((5, 3, 12)).astype(np.float32), rng.normal(size=(5, 4)).astype(np.float32)
    layer = Tonality(8, kinds=2)
    here, higher = (np.asarray(layer(hidden, layer.known(each))) for each in (heard, np.roll(heard, 5, axis=-1)))
    assert here.shape == (5, 2, 12) and np.ptp(here, axis=-1).max() > 0.01
    assert higher == pytest.approx(np.roll(here, 5, axis=-1), abs=1e-5)
