"""Clicks at known times in music."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.clicks import ClickOptions, bandwidth, clicks
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, tune

OPTIONS = ClickOptions()


@pytest.fixture(scope="module")
def music():
    return tune(FLUTES, 2, 8.0)


def found(samples, real):
    return clicks(samples, RATE, bandwidth(real, RATE, OPTIONS) / 2, OPTIONS)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 14), min_size=1, max_size=8, unique=True), st.floats(0.3, 1.0))
def test_every_planted_click_is_found_and_nothing_else(music, places, height):
    at = np.sort(places) * RATE // 2 + 3 * RATE // 10 + 17  # off the beat
    clicked = music.copy()
    clicked[at] += height
    np.testing.assert_allclose(found(clicked, music), at / RATE, atol=0.006)


def test_music_does_not_click_even_with_drums(music):
    assert len(found(music, music)) == 0
    assert len(found(tune(REEDS, 0, 8.0), tune(REEDS, 0, 8.0))) == 0


def test_a_cut_without_a_fade_clicks_and_one_with_it_does_not():
    time = np.arange(RATE) / RATE
    low = 0.5 * np.sin(2 * np.pi * 200.0 * time)
    below = 0.05 * np.sin(2 * np.pi * 2000.0 * time)  # makes the bandwidth
    one, other = low + below, -low[57:] + below[57:]
    abrupt = np.concatenate([one, other])
    across = np.linspace(0.0, 1.0, 1024)
    smooth = np.concatenate([one[:-1024], one[-1024:] * (1 - across) + other[:1024] * across, other[1024:]])
    assert len(clicks(abrupt, RATE, 6000.0, OPTIONS)) == 1
    assert len(clicks(smooth, RATE, 6000.0, OPTIONS)) == 0


def test_a_sound_that_stays_is_no_click():
    burst = np.zeros(2 * RATE)
    burst[RATE : RATE + RATE // 5] = np.random.default_rng(0).standard_normal(RATE // 5)
    assert len(clicks(burst, RATE, 6000.0, OPTIONS)) == 0


def test_the_bandwidth_is_where_the_music_ends(music):
    time = np.arange(2 * RATE) / RATE
    tones = np.sin(2 * np.pi * 500.0 * time) + 0.1 * np.sin(2 * np.pi * 5000.0 * time)
    assert bandwidth(tones, RATE, OPTIONS) == pytest.approx(5000.0, abs=100.0)
    assert bandwidth(np.zeros(4096), RATE, OPTIONS) == RATE / 2


def test_too_little_and_impossible_options_say_so(music):
    assert len(clicks(music[:1000], RATE, 6000.0, OPTIONS)) == 0
    with pytest.raises(MusicComposerError, match="half the rate"):
        clicks(music, RATE, 30000.0, OPTIONS)
    with pytest.raises(MusicComposerError, match="2048"):
        bandwidth(music[:100], RATE, OPTIONS)
    with pytest.raises(OptionError, match="above 0"):
        ClickOptions(jump_db=0.0)
