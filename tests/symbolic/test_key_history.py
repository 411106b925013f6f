"""Pitch classes fade as they are asked to, and are told the same in every key."""

import numpy as np
import pytest

from music_composer.symbolic.key_history import fading, heard_before

FADES = 2, 16, 64


def test_pitch_classes_count_half_when_they_have_faded():
    sounding = np.zeros((17, 88), bool)
    sounding[0, 2] = sounding[16, 5] = sounding[16, 17] = True
    heard = heard_before(sounding, FADES)
    assert heard.shape == (18, 3, 12)
    assert not heard[0].any()
    assert heard[17, :, 5] == pytest.approx([2, 2, 2])
    assert heard[17, :, 2] == pytest.approx([0.5**8, 0.5, 0.5 ** (1 / 4)])
    assert not heard[..., [0, 1, 3, 4, *range(6, 12)]].any()


def test_heard_step_by_step_it_is_the_same():
    sounding = np.random.default_rng(0).random((30, 88)) < 0.1
    heard, classes = np.zeros((3, 12)), np.arange(88) % 12
    for step, expected in enumerate(heard_before(sounding, FADES)[1:]):
        heard = heard * fading(FADES) + np.bincount(classes[sounding[step]], minlength=12)
        assert expected == pytest.approx(heard, abs=1e-4)


def test_without_fades_nothing_is_counted():
    assert heard_before(np.ones((4, 88), bool), ()).shape == (5, 0, 12)
