"""Copies planted at any place in new music."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import OptionError
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, log_mel
from music_composer.evaluation.audio.structure.repetition import RepetitionOptions, repetition
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, shuffled, tune

OPTIONS, SPECTRUM = RepetitionOptions(), DistanceOptions()
FRAMES = SPECTRUM.rate / SPECTRUM.hop


def levels(samples):
    return log_mel(samples, SPECTRUM)


def heard_in(samples, *others):
    return repetition(levels(samples), [levels(other) for other in others], FRAMES, OPTIONS)


@pytest.fixture(scope="module")
def album():
    return [tune(REEDS, track, 12.0, beat=0.25) for track in range(3)]


@pytest.fixture(scope="module")
def new():
    """Returns the instrument, key and beat of the album's track 1 with another melody."""
    return tune(REEDS, 1, 12.0, beat=0.25, seed=5)


def test_all_of_a_copy_is_heard_again(album):
    found = heard_in(album[1], *album)
    assert found.share == found.covered == 1.0
    assert found.longest == pytest.approx(12.0, abs=0.2)


def test_a_soft_copy_is_a_copy(album):
    assert heard_in(0.1 * album[1], *album).share == 1.0


def test_new_music_is_not(album, new):
    found = heard_in(new, *album)
    assert found.share < 0.1
    assert found.longest < 2.0


def test_another_album_is_not(album):
    assert heard_in(tune(FLUTES, 1, 12.0), *album) == type(heard_in(album[0], album[0]))(0.0, 0.0, 0.0)


@settings(max_examples=8, deadline=None)
@given(st.integers(RATE, 8 * RATE), st.integers(0, 7 * RATE), st.floats(0.5, 2.0))
def test_a_copy_is_found_wherever_it_comes_from_and_lies_at_any_level(album, new, source, target, gain):
    planted = new.copy()
    planted[target : target + 3 * RATE] = gain * album[2][source : source + 3 * RATE]
    found = heard_in(planted, album[2])
    assert 1.8 < found.longest < 3.6  # three seconds, less what patches of a second miss at both ends
    assert 0.2 < found.covered < 0.35


def test_runs_shorter_than_a_patch_are_not_counted(album, new):
    beat = RATE // 2
    woven = new.copy()
    for i in range(0, 24, 2):  # every other beat
        woven[i * beat : (i + 1) * beat] = album[1][i * beat : (i + 1) * beat]
    assert heard_in(woven, album[1]).longest < heard_in(album[1], album[1]).longest / 3


def test_the_prompt_looped_or_shuffled_is_heard_again(album, new):
    prompt = album[0]
    assert heard_in(np.tile(prompt[: 4 * RATE], 3), prompt).share > 0.7
    assert heard_in(shuffled(prompt, 2.5), prompt).share > 0.4
    assert heard_in(new, prompt).share < 0.1


def test_a_copy_at_another_speed_is_found_where_that_speed_is_searched(album):
    faster = np.interp(np.arange(0, len(album[1]), 2 ** (2 / 12)), np.arange(len(album[1])), album[1])
    assert heard_in(faster, album[1]).share < 0.3
    assert heard_in(faster, album[1], faster).share == 1.0


def test_silence_is_like_nothing(album):
    found = heard_in(np.zeros(4 * RATE), *album, np.zeros(4 * RATE))
    assert (found.share, found.longest) == (0.0, 0.0)


def test_less_than_a_patch_and_no_library():
    assert np.isnan(heard_in(np.ones(RATE // 2)).share)
    assert heard_in(np.random.default_rng(0).standard_normal(3 * RATE)).share == 0.0


def test_impossible_options_say_so():
    with pytest.raises(OptionError, match="correlation"):
        RepetitionOptions(correlation=1.5)
    with pytest.raises(OptionError, match="phases"):
        RepetitionOptions(phases=9)
