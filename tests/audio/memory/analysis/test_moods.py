"""Familiar moods of a prompt that never changes, and of one that does."""

import numpy as np
import pytest

from music_composer.audio.memory.analysis.moods import FARTHEST, MIN_SPREAD, SPREAD, beyond_familiar, moods_of
from music_composer.audio.memory.analysis.views import ViewOptions

VIEWS = ViewOptions(mood=20)


def rows(*angles, steps=100):
    """Returns so many steps in each of the directions, in degrees."""
    turned = np.repeat(np.radians(angles), steps)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def test_a_prompt_that_never_changes_is_familiar_with_little():
    moods, spread = moods_of([rows(0.0)], VIEWS)
    np.testing.assert_allclose(moods, np.broadcast_to([1.0, 0.0], moods.shape), atol=1e-5)
    assert spread == MIN_SPREAD


def test_the_more_a_prompt_changes_the_more_is_familiar():
    spreads = [moods_of([rows(*np.linspace(0.0, most, 10), steps=20)], VIEWS)[1] for most in (30.0, 90.0, 180.0)]
    assert MIN_SPREAD <= spreads[0] < spreads[1] < spreads[2]


def test_a_prompt_that_is_too_short_to_differ_from_itself_has_the_usual_spread():
    assert moods_of([rows(0.0, 90.0, steps=10)], VIEWS)[1] == SPREAD


def test_two_prompts_have_the_moods_of_both_and_the_wider_spread():
    one, other = rows(0.0), rows(*np.linspace(90.0, 180.0, 10), steps=20)
    moods, spread = moods_of([one, other], VIEWS)
    assert len(moods) == len(moods_of([one], VIEWS)[0]) + len(moods_of([other], VIEWS)[0])
    assert spread == moods_of([other], VIEWS)[1]


def test_strangeness_begins_behind_what_is_familiar_and_ends():
    alike = 1.0 - 0.1 * np.array([0.0, 2.0, 3.0, 100.0], np.float32)
    assert beyond_familiar(alike, 0.1) == pytest.approx([0.0, 0.0, 1.0, FARTHEST], abs=1e-5)
