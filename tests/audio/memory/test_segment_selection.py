"""A memory of much music consists of the segments most like the prompt."""

import dataclasses

import numpy as np
import pytest

from music_composer.audio.memory.memory import memory_of
from music_composer.audio.memory.segment_selection import Part, SelectionOptions, most_similar
from music_composer.errors import OptionError
from tests.audio.memory.music import FRAME, OPTIONS, PER_SECOND, RATE, STEP, played, recording

SHORT = SelectionOptions(longest=30.0, segment=5.0)


def low(seconds, seed):
    """Returns noise below 400 Hz, unlike any of `played`."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    spectrum = np.fft.rfft(noise)
    spectrum[round(400 * seconds) :] = 0.0
    sound = np.fft.irfft(spectrum, len(noise)) * 0.5
    return np.repeat(sound[:, None], 2, axis=1).astype(np.float32)


def chosen(recordings, prompt, options=SHORT):
    return most_similar(recordings, [prompt.steps.levels], PER_SECOND, STEP, OPTIONS.views, options)


def test_little_music_is_chosen_as_it_is():
    recordings = [recording(played(14.0, seed=i)) for i in range(2)]
    assert chosen(recordings, recording(played(10.0, seed=9))) == recordings


@pytest.mark.parametrize("prompt", [low, played])
def test_what_is_like_the_prompt_is_chosen(prompt):
    """Each recording changes from one kind of music to the other in its middle."""
    recordings = [recording(np.concatenate([low(20.0, i), played(20.0, i)])) for i in range(3)]
    parts = chosen(recordings, recording(prompt(20.0, seed=9)), SelectionOptions(longest=60.0, segment=5.0))
    assert [part.recording for part in parts] == recordings
    for part in parts:
        middle = len(part.recording.steps) // 2
        assert (part.last <= middle + 5) if prompt is low else (part.first >= middle - 5)


def test_no_more_is_chosen_than_may_be():
    recordings = [recording(played(45.0, seed=i)) for i in range(3)]
    parts = chosen(recordings, recording(played(10.0, seed=9)))
    assert 25.0 * PER_SECOND < sum(len(part.steps) for part in parts) <= round(30.0 * PER_SECOND)
    numbers = {id(each): i for i, each in enumerate(recordings)}
    places = [(numbers[id(part.recording)], part.first, part.last) for part in parts]
    assert places == sorted(places)
    for (one, _, last), (other, first, _) in zip(places, places[1:], strict=False):
        assert one != other or last < first  # segments that follow each other are one part


def test_a_part_sounds_as_its_recording_does():
    whole = recording(played(20.0))
    part = Part(whole, 100, 300, STEP)
    np.testing.assert_array_equal(part.steps.levels, whole.steps.levels[100:300])
    np.testing.assert_array_equal(part.steps.onsets, whole.steps.onsets[100:300])
    np.testing.assert_array_equal(part.sound(-50, 70), whole.sound(100 * STEP - 50, 100 * STEP + 70))


def test_a_memory_of_much_music_is_bounded_and_goes_on_from_what_is_alike():
    options = dataclasses.replace(OPTIONS, selection=SHORT)
    music = [recording(np.concatenate([low(40.0, i), played(40.0, i)])) for i in range(2)]
    memory = memory_of(music, recording(played(10.0, seed=9)), FRAME, options)
    assert np.count_nonzero(~memory.own) <= round(30.0 * PER_SECOND)
    assert all(each.first >= 40.0 * PER_SECOND - 5 for each in memory.recordings[:-1])


def test_of_much_music_a_silent_prompt_chooses_what_is_loudest():
    options = dataclasses.replace(OPTIONS, selection=SHORT)
    faint, loud = low(40.0, 1) * np.float32(0.003), played(20.0, seed=2)
    music = [recording(np.concatenate([faint, loud, faint]))]
    memory = memory_of(music, recording(np.zeros((10 * RATE, 2), np.float32)), FRAME, options)
    loudest = [part for part in memory.recordings[:-1] if part.first <= 50.0 * PER_SECOND < part.last]
    assert loudest
    assert not memory.own[memory.history].any()
    assert memory.part[memory.history[-1]] == [id(each) for each in memory.recordings].index(id(loudest[0]))


@pytest.mark.parametrize("changes", [{"segment": 0.0}, {"longest": 10.0}])
def test_impossible_options_are_refused(changes):
    with pytest.raises(OptionError):
        SelectionOptions(**changes)
