"""Chords of known length, held or faded into each other."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import OptionError
from music_composer.evaluation.audio.signal.semitones import SemitoneOptions, semitone_levels
from music_composer.evaluation.audio.structure.harmonic_changes import (
    HarmonicChangeOptions,
    harmonic_changes,
    novelty,
    threshold_of,
)

pytestmark = pytest.mark.journey

OPTIONS, SPECTRUM = HarmonicChangeOptions(), SemitoneOptions()
RATE = SPECTRUM.rate
CHORDS = ((57, 61, 64), (59, 62, 66), (60, 64, 67), (62, 65, 69))


def chords(seconds_each: float, count: int, fade: float = 0.01) -> np.ndarray:
    """Returns so many chords in turn, (n,), each faded into the next over so many seconds."""
    time = np.arange(round(seconds_each * count * RATE)) / RATE
    sound = np.zeros(len(time))
    for i in range(count):
        gain = np.interp(time, (i * seconds_each + np.array([-fade, fade]) / 2), (0, 1)) if i else np.ones(len(time))
        gain *= np.interp(time, ((i + 1) * seconds_each + np.array([-fade, fade]) / 2), (1, 0)) if i < count - 1 else 1
        for note in CHORDS[i % len(CHORDS)]:
            for partial in (1, 2, 3):
                pitch = partial * 440 * 2 ** ((note - 69) / 12)
                sound += 0.05 / partial * gain * np.sin(2 * np.pi * pitch * time)
    return sound


def levels(*sound) -> np.ndarray:
    return semitone_levels(chords(*sound), SPECTRUM)


@functools.cache
def threshold() -> float:
    return threshold_of([levels(0.75, 12)], OPTIONS)


@pytest.mark.parametrize("seconds", [0.5, 0.75, 1.5])
def test_every_change_of_chord_is_a_turn(seconds):
    found = harmonic_changes(levels(seconds, 10), threshold(), OPTIONS)
    centres = (found * SPECTRUM.hop + SPECTRUM.fft / 2) / RATE  # of the first frame of each chord
    np.testing.assert_allclose(centres, seconds * np.arange(1, 10), atol=0.15)


def test_a_held_chord_has_no_turn():
    assert len(harmonic_changes(levels(10.0, 1), threshold(), OPTIONS)) == 0


def test_chords_that_fade_slowly_into_each_other_have_fewer():
    assert (
        len(harmonic_changes(levels(2.0, 6, 1.9), threshold(), OPTIONS))
        < 3
        < len(harmonic_changes(levels(2.0, 6), threshold(), OPTIONS))
    )


def test_chords_too_soft_to_be_heard_beside_a_held_one_are_no_turns():
    held, soft = chords(9.0, 1), 10 ** (-48 / 20) * chords(0.75, 12)
    alone, both = (semitone_levels(sound, SPECTRUM) for sound in (held, held + soft))
    np.testing.assert_allclose(novelty(both, OPTIONS), novelty(alone, OPTIONS), atol=0.2)
    wide = HarmonicChangeOptions(range_db=80)
    assert np.abs(novelty(both, wide) - novelty(alone, wide)).max() > 0.5


@given(st.floats(-20, 20), st.integers(0, 60))
def test_neither_gain_nor_direction_of_time_changes_novelty(gain, length):
    course = -30 + 10 * np.random.default_rng(length).standard_normal((length, 12))
    found = novelty(course, OPTIONS)
    assert len(found) == max(0, length - 2 * OPTIONS.frames + 1)
    np.testing.assert_allclose(novelty(course + gain, OPTIONS), found, atol=1e-8)
    np.testing.assert_allclose(novelty(course[::-1], OPTIONS)[::-1], found, atol=1e-8)


def test_silence_and_too_little_music_have_none():
    assert len(harmonic_changes(np.full((100, 84), -80.0), threshold(), OPTIONS)) == 0
    assert threshold_of([np.zeros((3, 84))], OPTIONS) == float("inf")
    assert len(harmonic_changes(np.zeros((3, 84)), float("inf"), OPTIONS)) == 0


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"range_db": 0}, {"share": 1}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(OptionError, match="above 0"):
        HarmonicChangeOptions(**wrong)
