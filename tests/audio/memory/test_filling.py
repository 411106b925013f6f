"""Gaps filled from memory: runs end where the gap does, and both edges equal the recording."""

import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.filling import candidate_of, distance_of, gap_memory_of, sound_of
from tests.audio.memory.music import FRAME, OPTIONS, PER_SECOND, RATE, STEP, played, recording

FADE, WALK = OPTIONS.splice.crossfade, OPTIONS.walk
PLAIN = dataclasses.replace(OPTIONS, layered=False)
LEFT, RIGHT = 12.3, 20.0  # seconds of a piece before and behind a gap


@pytest.fixture(scope="module")
def album():
    return [recording(played(20.0, seed=i, beat=0.4)) for i in range(3)]


@pytest.fixture(scope="module")
def piece():
    return played(60.0, seed=9, beat=0.4)


def gap_in(album, piece, seconds, options=OPTIONS):
    start, stop = round(LEFT * RATE), round((LEFT + seconds) * RATE)
    return gap_memory_of(album, piece[:start], piece[stop : stop + round(RIGHT * RATE)], stop - start, FRAME, options)


def course_in(place, options=OPTIONS, seed=0):
    return candidate_of(place, options, np.random.default_rng(seed))


@pytest.mark.parametrize("seconds", [0.01, 0.3, 0.5, 0.8, 1.1, 1.7, 2.9, 6.0])
def test_runs_are_as_long_as_the_gap_and_no_longer_than_runs_may_be(album, piece, seconds):
    place = gap_in(album, piece, seconds)
    memory, follows = place.memory, place.memory.firsts[place.landing.part]
    assert memory.barred[follows : follows + round(OPTIONS.kept_back * PER_SECOND)].all(), "it is not heard twice"
    for seed in range(3):
        for runs in course_in(place, seed=seed).walks:
            lengths = [last + 1 - first for first, last in runs]
            assert sum(lengths) == place.landing.steps == max(1, round(seconds * RATE / STEP))
            limits = [WALK.most_own if memory.own[first] else WALK.most_training for first, _ in runs]
            assert all(length <= limit * PER_SECOND + 1 for length, limit in zip(lengths, limits, strict=True))
            if len(runs) > 1:
                assert min(lengths) >= round(WALK.least * PER_SECOND)
            played = np.concatenate([np.arange(first, last + 1) for first, last in runs])
            assert not memory.barred[played].any()


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
@pytest.mark.parametrize("seconds", [0.01, 0.7, 3.0])
def test_a_filling_goes_over_into_what_is_beside_it(album, piece, options, seconds):
    place = gap_in(album, piece, seconds, options)
    sound = sound_of(place, course_in(place, options), options)
    assert sound.samples.shape == (place.gap + 2 * FADE, 2)
    assert sound.samples.dtype == np.float32
    np.testing.assert_allclose(sound.samples[:3], place.left[-FADE:][:3], atol=5e-3)
    np.testing.assert_allclose(sound.samples[-1], place.right[FADE - 1], atol=1e-5)
    own, made = (np.square(part).mean() for part in (place.left, sound.samples[FADE:-FADE]))
    assert seconds < 0.5 or abs(10 * np.log10(made / own)) < 4.0
    assert all(FADE < at < place.gap for at in sound.jumps)
    assert bool(sound.jumps) == (seconds > 1.5) or seconds == 0.7


def test_it_is_left_where_what_follows_fits_and_in_phase(album, piece):
    place = gap_in(album, piece, 4.0)
    memory, landing = place.memory, place.landing
    able = landing.fits[~memory.barred]
    onsets = memory.onsets[memory.firsts[landing.part] :][:60]
    for seed in range(4):
        for runs in course_in(place, seed=seed).walks:
            assert landing.fits[runs[-1][1]] > np.quantile(able, 0.95)
            after = memory.onsets[runs[-1][1] + 1 :][:60]
            lags = [np.corrcoef(onsets[8:52], after[8 + lag : 52 + lag])[0, 1] for lag in range(-8, 9)]
            assert abs(int(np.argmax(lags)) - 8) <= 1


def test_a_gap_in_what_was_remembered_is_not_filled_with_itself(piece):
    """The album holds the recording as a whole."""
    place = gap_in([recording(piece), recording(played(20.0, seed=1, beat=0.4))], piece, 4.0)
    for seed in range(3):
        for runs in course_in(place, seed=seed).walks:
            at = np.concatenate([np.arange(first, last + 1) for first, last in runs])
            inside = (at >= LEFT * PER_SECOND + 1) & (at <= (LEFT + 4.0) * PER_SECOND - 1)
            assert not inside.any()


def test_the_distance_is_that_of_what_the_runs_would_go_on_with(piece):
    """The album holds the whole recording: its music up to the end of the gap continues with the right side."""
    place = gap_in([recording(piece)], piece, 4.0, PLAIN)
    course, end = course_in(place, PLAIN), round(((LEFT + 4.0) * RATE - len(piece) % STEP) / STEP)
    true = dataclasses.replace(course, walks=(((end - 20, end - 1),),))
    later = dataclasses.replace(course, walks=(((end + 20, end + 39),),))
    assert distance_of(place, true, 0.3) < 0.6 * distance_of(place, later, 0.3)


@pytest.mark.parametrize("options", [OPTIONS, PLAIN])
@pytest.mark.parametrize(("left", "right"), [(0.25, 0.25), (0.25, 9.0), (9.0, 0.25)])
def test_sides_of_any_length_are_enough(piece, options, left, right):
    cut, stop = round(left * RATE), round((left + 2.0) * RATE)
    place = gap_memory_of([], piece[:cut], piece[stop : stop + round(right * RATE)], stop - cut, FRAME, options)
    course = course_in(place, options)
    sound = sound_of(place, course, options).samples
    assert sound.shape == (2 * RATE + 2 * FADE, 2)
    assert np.isfinite(sound).all()
    assert 0.0 < distance_of(place, course, 0.3) < 100.0


def test_the_same_seed_fills_alike_and_another_does_not(album, piece):
    place = gap_in(album, piece, 5.0)
    assert course_in(place, seed=1) == course_in(place, seed=1) != course_in(place, seed=2)
