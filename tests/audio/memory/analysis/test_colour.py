"""The colour filter on known spectra, and a filter that changes nothing."""

import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.analysis.colour import (
    BRIGHT_HZ,
    ColourOptions,
    Limits,
    brightness,
    colour_of,
    limits_of,
    loudness,
)
from music_composer.errors import OptionError
from tests.audio.memory.music import FRAME, OPTIONS, RATE, played, recording

UNLIMITED = Limits(np.inf, np.inf)
COLOUR = dataclasses.replace(OPTIONS.colour, strength=1.0, most_db=12.0)


def colour(levels, options=COLOUR):
    return colour_of(levels, FRAME, OPTIONS.steps, options)


def flat(bands=None):
    levels = np.full((200, FRAME.bands // 3), -40.0, np.float32)
    return levels if bands is None else levels + np.float32(bands)


def test_music_moves_to_the_mean_spectrum_of_the_prompt_and_no_further_than_it_may():
    tilt = np.linspace(-6.0, 6.0, FRAME.bands // 3)
    gains = colour(flat(tilt)).gains(flat())
    np.testing.assert_allclose(gains[:, 4:-4], np.tile(tilt[4:-4], (200, 1)), atol=1e-3)
    assert np.abs(colour(flat(10 * tilt), OPTIONS.colour).gains(flat())).max() == pytest.approx(0.8 * 9.0)


def test_the_gains_of_one_step_are_those_of_all():
    rng = np.random.default_rng(0)
    levels, aim = rng.normal(-40, 10, (1500, 32)).astype(np.float32), rng.normal(-40, 3, (50, 32)).astype(np.float32)
    gains = colour(aim).gains(levels)
    filters = dataclasses.replace(colour(aim), limits=UNLIMITED)
    for step in (0, 10, 700, 1400, 1499):
        np.testing.assert_allclose(filters.gains_at(levels, step, step), gains[step], atol=1e-3)
    # A run may reach beyond its recording.
    np.testing.assert_allclose(filters.gains_at(levels, 1499, 1520), gains[1499], atol=1e-3)


def test_no_run_becomes_louder_than_the_loudest_music():
    """A loud bar of a quiet recording gets the gain of its surroundings, up to the loudness of the prompt."""
    quiet, filters = flat() - np.float32(10.0), colour(flat())
    quiet[100:120] += np.float32(9.0)
    assert filters.limits.loudest == pytest.approx(loudness(flat()))
    bar, around = filters.gains_at(quiet, 100, 119), filters.gains_at(quiet, 40, 59)
    assert loudness(quiet[40:60] + around) < filters.limits.loudest
    assert loudness(quiet[100:120] + bar) == pytest.approx(filters.limits.loudest, abs=1e-3)
    np.testing.assert_allclose(np.diff(bar), np.diff(around), atol=1e-4)  # its colour stays
    unlimited = dataclasses.replace(filters, limits=UNLIMITED).gains_at(quiet, 100, 119)
    assert loudness(quiet[100:120] + unlimited) > filters.limits.loudest + 5.0


def test_music_that_is_louder_anyway_is_not_made_softer():
    loud = flat() + np.float32(20.0)
    gains = dataclasses.replace(colour(flat() + np.float32(20.0)), limits=Limits(-40.0, np.inf)).gains_at(loud, 10, 30)
    np.testing.assert_allclose(gains, 0.0, atol=1e-4)


def test_limits_are_those_of_the_music_without_outliers():
    per_second, levels, centres = 43.0, np.tile(flat(), (40, 1)), colour(flat()).centres
    levels[50:70] += np.linspace(-30.0, 60.0, levels.shape[1], dtype=np.float32)  # a loud and bright moment
    for music in ([levels, levels - 20], [flat(), flat() - 20]):
        found = limits_of(music, centres, per_second, COLOUR)
        assert found.loudest == pytest.approx(loudness(flat()), abs=1e-3)
        assert found.brightest == pytest.approx(brightness(flat(), centres), abs=1e-3)


def test_silence_has_no_brightness():
    centres = colour(flat()).centres
    dark = flat() - np.float32(20.0) * (centres > BRIGHT_HZ)
    found = limits_of([dark, flat() - np.float32(60.0)], centres, 43.0, COLOUR)  # dither is white
    assert found.brightest == pytest.approx(brightness(dark, centres), abs=1e-3)


def test_no_run_becomes_brighter_than_the_brightest_music():
    """A bright bar of dark surroundings gets their gain, up to the brightness of the prompt; what lies below stays."""
    filters = dataclasses.replace(colour(flat()), limits=Limits(np.inf, colour(flat()).limits.brightest))
    high = filters.centres > BRIGHT_HZ
    assert 0 < high.sum() < len(high)
    dark = flat() - np.float32(10.0) * high
    dark[100:120] += np.float32(9.0) * high
    bar, around = filters.gains_at(dark, 100, 119), filters.gains_at(dark, 40, 59)
    assert brightness(dark[40:60] + around, filters.centres) < filters.limits.brightest
    assert brightness(dark[100:120] + bar, filters.centres) == pytest.approx(filters.limits.brightest, abs=1e-3)
    np.testing.assert_allclose(
        bar[~high], dataclasses.replace(filters, limits=UNLIMITED).gains_at(dark, 100, 119)[~high]
    )
    bright = flat() + np.float32(20.0) * high  # brighter anyway: it is not made darker by the limit
    assert brightness(bright, filters.centres) > filters.limits.brightest
    np.testing.assert_allclose(colour(bright).gains_at(bright, 10, 30), 0.0, atol=1e-4)
    limited = dataclasses.replace(colour(bright), limits=Limits(np.inf, -40.0))
    np.testing.assert_allclose(limited.gains_at(bright, 10, 30), 0.0, atol=1e-4)


@pytest.mark.parametrize("hertz", [200, 1000, 3000])
def test_a_tone_becomes_louder_by_its_bands_gain_and_stays_in_place(hertz):
    filters = colour(flat())
    gains = np.linspace(-8.0, 8.0, len(filters.centres)).astype(np.float32)
    tone = np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)[:, None].astype(np.float32)
    found = filters.filtered(tone, gains)
    inner = slice(COLOUR.margin, -COLOUR.margin)
    wanted = 10 ** (np.interp(hertz, filters.centres, gains) / 20)
    np.testing.assert_allclose(found[inner], wanted * tone[inner], atol=0.02)


def test_what_is_coloured_reads_as_its_levels_were_said_to():
    sound, filters = played(6.0, channels=1), colour(flat())
    gains = (4.0 * np.sin(np.linspace(0, 6, len(filters.centres)))).astype(np.float32)
    before, after = (recording(each).steps.levels for each in (sound, filters.filtered(sound, gains)))
    loud = before > before.max() - 40.0
    assert np.median(np.abs(after - before - gains)[loud]) < 0.5


@pytest.mark.parametrize("wrong", [{"strength": 1.1}, {"around": 0.0}, {"most_db": -1.0}, {"outliers": 1.0}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match="strength"):
        ColourOptions(**wrong)
