"""Loudness of the standard's test signals; normalized sound has the target loudness and never clips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.synth.loudness import TARGET, levelled, loudness
from tests.properties import cases


def sine(rate, db=0.0, seconds=5.0, channels=(1, 0), hz=997):
    wave = 10 ** (db / 20) * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave * on for on in channels])


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize(
    ("db", "channels", "expected"), [(0, (1, 0), -3.01), (-20, (1, 0), -23.01), (-20, (1, 1), -20)]
)
def test_a_sine_has_the_loudness_of_the_standard(rate, db, channels, expected):
    """ITU-R BS.1770: a 997 Hz sine at full scale in one channel reads -3.01."""
    assert loudness(sine(rate, db, channels=channels), rate) == pytest.approx(expected, abs=0.02)


def test_quiet_passages_do_not_count():
    """EBU Tech 3341, case 3: -36, -23 and -36 dB read as -23."""
    parts = [sine(48000, db, seconds, (1, 1)) for db, seconds in ((-36, 10), (-23, 60), (-36, 10))]
    assert loudness(np.concatenate(parts, axis=1), 48000) == pytest.approx(-23, abs=0.1)


def test_deep_sounds_count_less():
    assert loudness(sine(44100, hz=40), 44100) < loudness(sine(44100), 44100) - 4


@pytest.mark.parametrize("sound", [np.zeros((2, 0)), np.zeros((2, 9)), np.zeros((2, 99999))])
def test_silence_stays_silence(sound):
    assert loudness(sound, 44100) == -np.inf
    assert np.array_equal(levelled(sound.copy(), 44100), sound)


@given(st.integers(0, 50), st.floats(-60, 20), st.floats(0.5, 4))
@cases(30)
def test_normalized_music_has_the_target_loudness_without_clipping(seed, db, seconds):
    rng = np.random.default_rng(seed)
    count = round(seconds * 22050)
    notes = rng.standard_normal((2, count)) * np.exp(-4 * (np.arange(count) / 22050 * 3 % 1))
    made = levelled(10 ** (db / 20) * notes, 22050)
    assert loudness(made, 22050) == pytest.approx(TARGET, abs=0.15)
    assert np.abs(made).max() < 1


def test_a_single_click_is_not_amplified_without_limit():
    click = np.zeros((2, 44100))
    click[:, 20000] = 0.5
    assert np.abs(levelled(click, 44100)).max() < 1
