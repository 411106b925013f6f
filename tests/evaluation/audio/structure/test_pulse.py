"""Beats of known length: kept, lost and spliced."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, log_mel
from music_composer.evaluation.audio.structure.pulse import (
    PulseOptions,
    beat_seconds,
    clarity,
    likeness_at_lags,
    onset_strength,
    steadiness,
)
from tests.evaluation.audio.tunes import REEDS, shuffled, tune

OPTIONS, SPECTRUM = PulseOptions(), DistanceOptions(floor_db=-120.0)
FRAMES = SPECTRUM.rate / SPECTRUM.hop


def strength(samples):
    return onset_strength(log_mel(samples, SPECTRUM), OPTIONS)


def both(samples):
    onsets = strength(samples)
    return clarity(onsets, FRAMES, OPTIONS), steadiness(onsets, FRAMES, OPTIONS)


@pytest.fixture(scope="module")
def steady():
    return tune(REEDS, 1, 24.0)


@pytest.mark.parametrize("beat", [0.4, 0.5, 0.75])
def test_the_beat_is_found(beat):
    found = beat_seconds(strength(tune(REEDS, 0, 16.0, beat)), FRAMES, OPTIONS)
    assert found / beat == pytest.approx(round(found / beat), abs=0.05)


def test_a_tune_keeps_its_beat_and_noise_has_none(steady):
    clear, kept = both(steady)
    noise = np.random.default_rng(0).standard_normal(len(steady))
    assert clear > 0.8
    assert kept > 0.8
    assert max(both(noise)) < 0.4


def test_splices_off_the_beat_lose_it_and_lose_steadiness_most(steady):
    clear, kept = both(steady)
    toy_clear, toy_kept = both(shuffled(steady, 1.8))
    assert toy_clear < clear
    assert toy_kept < 0.75 * kept
    assert toy_kept / kept < toy_clear / clear


def test_splices_on_the_beat_keep_it(steady):
    beats = steady[: 48 * 22050].reshape(-1, 3 * 22050)
    on_the_beat = np.random.default_rng(2).permutation(beats).ravel()
    assert both(on_the_beat)[1] > 0.9 * both(steady)[1]


def test_level_does_not_matter(steady):
    np.testing.assert_allclose(both(0.1 * steady), both(steady), atol=0.02)


def test_noise_that_nobody_hears_does_not_hide_the_pulse(steady):
    """The noise comes and goes off the beat in the pauses, far below the music."""
    time = np.arange(len(steady))
    with_pauses = steady * (time % 44100 < 33075)
    gate = np.random.default_rng(0).integers(0, 2, len(steady) // 5000 + 1).repeat(5000)[: len(steady)]
    hiss = gate * np.random.default_rng(1).standard_normal(len(steady))
    np.testing.assert_allclose(both(with_pauses + 1e-4 * hiss), both(with_pauses), atol=0.02)


@settings(max_examples=20)
@given(st.integers(20, 60), st.integers(0, 100))
def test_what_comes_back_after_a_lag_is_like_itself_there(period, seed):
    pattern = np.tile(np.random.default_rng(seed).random(period), 8)
    likeness = likeness_at_lags(pattern, np.arange(1, 2 * period + 1))
    assert likeness[period - 1] == pytest.approx(1.0)
    assert likeness.argmax() in (period - 1, 2 * period - 1)


def test_silence_has_no_pulse():
    assert both(np.zeros(16 * SPECTRUM.rate)) == (0.0, 0.0)


def test_too_little_music_and_impossible_options_say_so():
    with pytest.raises(MusicComposerError, match="too short"):
        clarity(np.ones(100), FRAMES, OPTIONS)
    with pytest.raises(MusicComposerError, match="too short"):
        beat_seconds(np.ones(100), FRAMES, OPTIONS)
    with pytest.raises(OptionError, match="lags"):
        PulseOptions(beat=(2.0, 1.0))
    with pytest.raises(OptionError, match="above 0"):
        PulseOptions(every=0.0)
