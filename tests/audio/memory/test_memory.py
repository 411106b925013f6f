"""The content of a memory, what may be played of it, and what never is."""

import dataclasses

import numpy as np
import pytest
import scipy.signal

from music_composer.audio.memory.analysis.recordings import analyze_prompt
from music_composer.audio.memory.analysis.transposed import Transposed, transposed_steps
from music_composer.audio.memory.memory import memory_of
from music_composer.audio.memory.segment_selection import Part
from music_composer.errors import OptionError
from music_composer.values import Waveform
from tests.audio.memory.music import FRAME, OPTIONS, PER_SECOND, RATE, STEP, played, recording


def made(sounds, prompt, options=OPTIONS):
    return memory_of([recording(each) for each in sounds], recording(prompt), FRAME, options)


def test_the_prompt_is_the_last_recording_and_ends_at_the_cut():
    prompt = played(3.01, seed=5)
    memory = made([played(4.0, seed=i) for i in range(2)], prompt)
    assert len(memory.recordings) == 3
    assert memory.own.sum() == len(prompt) // STEP
    np.testing.assert_array_equal(np.flatnonzero(memory.own), np.arange(memory.firsts[2], memory.firsts[3]))
    end = memory.recordings[2].sound(0, memory.own.sum() * STEP + 9)
    np.testing.assert_array_equal(end[:-9], prompt[-len(end) + 9 :])
    assert not end[-9:].any()
    assert memory.history[-1] == len(memory) - 1


def test_a_prompts_steps_are_those_of_its_recording():
    sound = played(6.0)[: 250 * STEP]
    whole, part = recording(sound).steps, recording(sound[: 100 * STEP]).steps
    np.testing.assert_allclose(part.levels[:99], whole.levels[:99], atol=0.1)


def test_behind_the_cut_the_prompt_is_mirrored():
    """A tone that ends at its crest continues symmetrically."""
    tone = 0.5 * np.cos(2 * np.pi * 440 * (np.arange(40 * STEP) - 40 * STEP + 1) / RATE)[:, None]
    levels = recording(tone.astype(np.float32)).steps.levels
    np.testing.assert_allclose(levels[-1], levels[20], atol=1.0)


@pytest.mark.parametrize("change", ["as it is", "quieter", "between two steps", "with noise"])
def test_what_truly_follows_an_excerpt_is_barred(change):
    sounds = [played(60.0, seed=i) for i in range(2)]
    cut = 20 * RATE + (STEP // 2 if change == "between two steps" else 0)
    prompt = sounds[1][cut - 8 * RATE : cut] * np.float32(0.5 if change == "quieter" else 1.0)
    if change == "with noise":
        prompt = prompt + np.random.default_rng(0).normal(0, 1e-3, prompt.shape).astype(np.float32)
    memory = made(sounds, prompt)
    place = memory.firsts[1] + round(20 * PER_SECOND)
    assert memory.barred[place + 3 : place + round(29.5 * PER_SECOND)].all()
    assert not memory.barred[: memory.firsts[1]].any()
    assert not memory.barred[memory.firsts[1] : place - 20].any()
    assert not memory.barred[place + round(32 * PER_SECOND) :].any()
    assert not memory.barred[memory.entries].any()
    for each in memory.entries:
        assert not memory.barred[each : memory.last[each] + 1].any()


def test_what_truly_follows_is_barred_where_what_precedes_it_is_not_remembered():
    whole, cut = recording(played(60.0, seed=1)), round(20 * PER_SECOND)
    begin = round(24 * PER_SECOND)
    part = Part(whole, begin, len(whole.steps), STEP)
    prompt = recording(whole.sound(cut * STEP - 8 * RATE, cut * STEP))
    memory = memory_of([recording(played(20.0, seed=2)), part], prompt, FRAME, OPTIONS)
    first, end = memory.firsts[1], memory.firsts[1] + cut + round(30 * PER_SECOND) - begin
    assert memory.barred[first : end - 9].all()
    assert not memory.barred[end + 9 :].any()
    assert not memory.barred[:first].any()


@pytest.mark.parametrize("semitones", [-2, 1])
@pytest.mark.parametrize("begin", [0.0, 24.0])
def test_what_truly_follows_is_barred_in_other_keys(semitones, begin):
    whole, cut = recording(played(60.0, seed=1)), round(20 * PER_SECOND)
    steps = transposed_steps(whole.sound, len(whole.samples), semitones, FRAME, OPTIONS.steps)
    copy = Transposed(whole, semitones, steps)
    first = round(begin / copy.speed * PER_SECOND)
    part = Part(copy, first, len(steps), STEP) if begin else copy
    prompt = recording(whole.sound(cut * STEP - 8 * RATE, cut * STEP))
    barred = memory_of([recording(played(20.0, seed=2)), part], prompt, FRAME, OPTIONS).barred
    place, (start, end) = len(recording(played(20.0)).steps), (cut, cut + round(30 * PER_SECOND))
    begins, ends = (place + max(0, round(each / copy.speed) - first) for each in (start, end))
    assert barred[begins + 3 : ends - 9].all()
    assert not barred[: max(place, begins - 20)].any()
    assert not barred[ends + 9 :].any()


def test_other_music_and_the_prompts_own_bars_are_not_barred():
    assert not made([played(30.0, seed=i) for i in range(2)], played(20.0, seed=9, bar=4)).barred.any()


def test_a_run_has_room_in_its_own_recording():
    memory = made([played(4.0, seed=1), played(0.6, seed=2), played(4.0, seed=3)], played(4.0, seed=4))
    assert set(memory.part[memory.entries]) == {0, 2, 3}
    room = memory.last[memory.entries] - memory.entries
    assert room.min() >= 2 * round(OPTIONS.walk.least * PER_SECOND)
    np.testing.assert_array_equal(memory.part[memory.last], memory.part)


def test_a_place_is_sought_by_what_precedes_it():
    """The views of the prompt's end equal those of the same music elsewhere."""
    sound, prompt = played(20.0, seed=1), played(20.0, seed=2)
    memory = made([np.concatenate([sound, prompt]), sound[::-1].copy()], prompt)
    struck = memory.own[memory.entries] & (memory.attacks[memory.entries] > 0.5)
    assert struck.sum() > 30
    for at in np.flatnonzero(struck)[5:]:
        alike = memory.keys[:, at] @ memory.keys
        alike[memory.own[memory.entries]] = -1
        expected = memory.entries[at] - memory.firsts[2] + round(20 * PER_SECOND)
        assert abs(memory.entries[alike.argmax()] - expected) <= 1


def test_all_of_the_prompts_end_is_its_mood():
    """Music like the earlier half of the end is as near as music like the later half; other music is not."""
    filters = [
        scipy.signal.butter(2, band, "bandpass", fs=RATE, output="sos")
        for band in ((60, 300), (700, 1500), (3000, 5000))
    ]
    low, middle, high = (
        [scipy.signal.sosfilt(each, played(20.0, seed=i), axis=0).astype(np.float32) for i in (1, 2)]
        for each in filters
    )
    memory = made([low[0], middle[0], high[0]], np.concatenate([low[1][: 12 * RATE], middle[1][: 12 * RATE]]))
    earlier, later, other = (memory.mood[memory.part[memory.entries] == i].mean() for i in range(3))
    assert min(earlier, later) > 0.4
    assert other < min(earlier, later) - 0.1


def test_other_music_is_strange_to_a_prompt_that_never_changes():
    tone = 0.3 * np.sin(2 * np.pi * 330 * np.arange(25 * RATE) / RATE)[:, None].astype(np.float32)
    memory = made([played(20.0, seed=1)], np.repeat(tone, 2, axis=1))
    own = memory.own[memory.entries]
    assert memory.unfamiliarity[own].max() == 0.0
    assert memory.unfamiliarity[~own].min() > 1.0


def test_a_silent_prompt_stands_where_the_music_is_loudest():
    quiet, loud = 0.1 * played(20.0, seed=1), played(20.0, seed=2)
    memory = made([np.concatenate([quiet, loud]), quiet], np.zeros((4 * RATE, 2), np.float32))
    assert not memory.own[memory.entries].any()
    assert memory.colour is None
    assert set(memory.part[memory.history]) == {0}
    assert memory.history[0] >= 19.5 * PER_SECOND
    moods = [memory.mood[memory.part[memory.entries] == i].mean() for i in range(2)]
    assert moods[0] > moods[1]


def test_where_all_is_short_everything_may_be_played():
    memory = made([], played(0.25))
    assert len(memory.entries)
    assert memory.entries.max() < len(memory) == 10


def test_where_all_is_silent_silence_may_be_played():
    assert len(made([np.zeros((RATE, 1), np.float32)], np.zeros((RATE, 2), np.float32)).entries)


def test_without_colour_nothing_is_coloured():
    options = dataclasses.replace(OPTIONS, colour=dataclasses.replace(OPTIONS.colour, strength=0.0))
    assert made([played(4.0)], played(4.0, seed=1), options).colour is None


@pytest.mark.parametrize("prompt", [Waveform(np.zeros((767, 1), np.float32), RATE), Waveform(played(1.0), 44100)])
def test_what_cannot_be_heard_is_said(prompt):
    with pytest.raises(OptionError, match="it needs 768 at 11025 Hz"):
        analyze_prompt(prompt, FRAME, OPTIONS.steps)
