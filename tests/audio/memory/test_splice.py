"""Runs joined end to end: fitting runs stay, and shifts never add up."""

import numpy as np
import pytest

from music_composer.audio.memory.splice import SpliceOptions, Splicer, faded
from music_composer.errors import OptionError

RATE, OPTIONS = 44100, SpliceOptions()
LENGTH = 20 * 1024


def music(seconds, seed=0):
    """Some tones and a little noise, (samples, 2)."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * rng.uniform(80, 900) * time + rng.uniform(0, 6)) for _ in range(4))
    return (0.1 * tones[:, None] + 0.01 * rng.standard_normal((len(time), 2))).astype(np.float32)


def spliced(sound, starts, lead):
    splicer = Splicer(lead, OPTIONS)
    pieces = [splicer.push(sound[at - OPTIONS.before : at + LENGTH], OPTIONS.before) for at in starts]
    return np.concatenate([*pieces, splicer.rest()])


def test_runs_that_follow_each_other_give_the_recording_back():
    sound = music(10.0)
    first = RATE
    starts = first + LENGTH * np.arange(15)
    played = spliced(sound, starts, sound[:first])
    np.testing.assert_allclose(played, sound[first - OPTIONS.crossfade : starts[-1] + LENGTH], atol=1e-5)


@pytest.mark.parametrize("off", [-200, 0, 150])
def test_the_last_run_goes_over_into_what_follows_where_that_is_due(off):
    """The run is due a little before or behind its place in the recording, and is shifted to fit what truly follows."""
    sound = music(6.0)
    splicer = Splicer(sound[:RATE], OPTIONS)
    first = splicer.push(sound[RATE - OPTIONS.before : RATE + LENGTH], OPTIONS.before)
    begin, end, behind = RATE + LENGTH, RATE + 2 * LENGTH, OPTIONS.crossfade + 2 * OPTIONS.search
    run = sound[begin - OPTIONS.before + off : end + behind + off]
    last = splicer.land(run, OPTIONS.before, end - RATE + OPTIONS.crossfade - len(first), sound[end : end + RATE])
    played = np.concatenate([first, last])
    np.testing.assert_allclose(played, sound[RATE - OPTIONS.crossfade : end + RATE], atol=1e-5)


def test_a_run_is_moved_to_where_it_fits():
    """Runs of a tone are due half a period off; the tone continues without a dip."""
    tone = np.repeat(0.3 * np.sin(2 * np.pi * 220.5 * np.arange(5 * RATE) / RATE)[:, None], 2, axis=1).astype(
        np.float32
    )
    starts = RATE + (LENGTH + 100) * np.arange(6)
    played = spliced(tone, starts, tone[:RATE])[:, 0]
    power = np.convolve(played**2, np.ones(400) / 400, "valid")
    np.testing.assert_allclose(power, 0.045, rtol=0.02)


def test_what_is_moved_never_adds_up():
    """The difference of the channels encodes the time."""
    time = np.arange(40 * RATE) / RATE
    tone, clock = 0.3 * np.sin(2 * np.pi * 97.3 * time), time / 40
    sound = np.stack([tone + clock, tone - clock], axis=1).astype(np.float32)
    starts = RATE + 2 * LENGTH * np.arange(40)
    played = spliced(sound, starts, sound[:RATE])[OPTIONS.crossfade :]
    for i, at in enumerate(starts):
        middle = i * LENGTH + LENGTH // 2
        shown = (played[middle, 0] - played[middle, 1]) / 2 * 40
        assert abs(shown - (at + LENGTH // 2) / RATE) <= (OPTIONS.search + 1) / RATE


@pytest.mark.parametrize("before", [0, 100])
def test_a_run_at_the_beginning_of_its_recording_comes_out_of_silence(before):
    sound, lead = music(3.0), music(1.0, seed=1)
    splicer = Splicer(lead, OPTIONS)
    played = np.concatenate([splicer.push(sound[: before + LENGTH], before), splicer.rest()])
    assert len(played) == OPTIONS.crossfade + LENGTH
    np.testing.assert_array_equal(played[OPTIONS.crossfade :], sound[before : before + LENGTH])
    np.testing.assert_allclose(played[0], lead[-OPTIONS.crossfade], atol=1e-6)
    assert np.abs(played[: OPTIONS.crossfade - before][-50:]).max() < 0.05


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_a_fade_keeps_the_power(alike):
    rng = np.random.default_rng(0)
    one, new = rng.standard_normal((2, 20000, 1))
    other = alike * one + np.sqrt(1 - alike**2) * new
    power = np.square(faded(one, other)).reshape(10, -1).mean(axis=1)
    np.testing.assert_allclose(power, 1.0, atol=0.12)


def test_a_fade_of_silence_is_silence():
    assert not faded(np.zeros((100, 2)), np.zeros((100, 2))).any()


def test_too_little_before_the_cut_and_senseless_options_are_refused():
    with pytest.raises(OptionError, match="too few"):
        Splicer(np.zeros((OPTIONS.crossfade - 1, 2), np.float32), OPTIONS)
    with pytest.raises(OptionError, match="fade"):
        SpliceOptions(crossfade=1)
