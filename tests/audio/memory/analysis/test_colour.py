"""The colour filter on known spectra, and a filter that changes nothing."""

import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.analysis.colour import ColourOptions, colour_of, loudest_of, loudness
from music_composer.errors import OptionError
from tests.audio.memory.music import FRAME, OPTIONS, RATE, played, recording

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
    filters = dataclasses.replace(colour(aim), loudest=np.inf)
    for step in (0, 10, 700, 1400, 1499):
        np.testing.assert_allclose(filters.gains_at(levels, step, step), gains[step], atol=1e-3)
    # A run may reach beyond its recording.
    np.testing.assert_allclose(filters.gains_at(levels, 1499, 1520), gains[1499], atol=1e-3)


def test_no_run_becomes_louder_than_the_loudest_music():
    """A loud bar of a quiet recording gets the gain of its surroundings, up to the loudness of the prompt."""
    quiet, filters = flat() - np.float32(10.0), colour(flat())
    quiet[100:120] += np.float32(9.0)
    assert filters.loudest == pytest.approx(loudness(flat()))
    bar, around = filters.gains_at(quiet, 100, 119), filters.gains_at(quiet, 40, 59)
    assert loudness(quiet[40:60] + around) < filters.loudest
    assert loudness(quiet[100:120] + bar) == pytest.approx(filters.loudest, abs=1e-3)
    np.testing.assert_allclose(np.diff(bar), np.diff(around), atol=1e-4)  # its colour stays
    unlimited = dataclasses.replace(filters, loudest=np.inf).gains_at(quiet, 100, 119)
    assert loudness(quiet[100:120] + unlimited) > filters.loudest + 5.0


def test_music_that_is_louder_anyway_is_not_made_softer():
    loud = flat() + np.float32(20.0)
    gains = dataclasses.replace(colour(flat() + np.float32(20.0)), loudest=-40.0).gains_at(loud, 10, 30)
    np.testing.assert_allclose(gains, 0.0, atol=1e-4)


def test_the_loudest_music_is_that_without_outliers():
    per_second, levels = 43.0, np.tile(flat(), (40, 1))
    levels[50:70] += np.float32(30.0)
    assert loudest_of([levels, levels - 20], per_second, COLOUR) == pytest.approx(loudness(flat()), abs=1e-3)
    assert loudest_of([flat(), flat() - 20], per_second, COLOUR) == pytest.approx(loudness(flat()), abs=1e-3)


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


@pytest.mark.parametrize("wrong", [{"strength": 1.1}, {"around": 0.0}, {"most_db": -1.0}, {"loudest": 1.0}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match="strength"):
        ColourOptions(**wrong)
