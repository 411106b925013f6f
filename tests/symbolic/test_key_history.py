"""Counts of pitch classes decay by their half-lives."""

import numpy as np
import pytest

from music_composer.symbolic.key_history import decay_factors, key_history_of

HALF_LIVES = 2, 16, 64


def test_counts_halve_after_a_half_life():
    active = np.zeros((17, 88), bool)
    active[0, 2] = active[16, 5] = active[16, 17] = True
    heard = key_history_of(active, HALF_LIVES)
    assert heard.shape == (18, 3, 12)
    assert not heard[0].any()
    assert heard[17, :, 5] == pytest.approx([2, 2, 2])
    assert heard[17, :, 2] == pytest.approx([0.5**8, 0.5, 0.5 ** (1 / 4)])
    assert not heard[..., [0, 1, 3, 4, *range(6, 12)]].any()


def test_step_by_step_it_is_the_same():
    active = np.random.default_rng(0).random((30, 88)) < 0.1
    heard, classes = np.zeros((3, 12)), np.arange(88) % 12
    for step, expected in enumerate(key_history_of(active, HALF_LIVES)[1:]):
        heard = heard * decay_factors(HALF_LIVES) + np.bincount(classes[active[step]], minlength=12)
        assert expected == pytest.approx(heard, abs=1e-4)


def test_without_half_lives_there_are_no_channels():
    assert key_history_of(np.ones((4, 88), bool), ()).shape == (5, 0, 12)
