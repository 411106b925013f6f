"""A transposed recording is higher and shorter by the same ratio, in pieces of any length."""

import numpy as np
import pytest

from music_composer.audio.memory.analysis.recordings import PromptRecording
from music_composer.audio.memory.analysis.transposed import (
    RATIOS,
    KeyOptions,
    Transposed,
    semitones_for,
    transposed_length,
    transposed_sound,
    transposed_steps,
)
from music_composer.errors import OptionError
from tests.audio.memory.music import FRAME, OPTIONS, RATE, STEP, played, recording


def in_key(sound, semitones):
    source = recording(sound)
    steps = transposed_steps(source.sound, len(source.samples), semitones, FRAME, OPTIONS.steps)
    return Transposed(source, semitones, steps)


def frequency(sound):
    """Returns the frequency of a sine, from the peak of its spectrum."""
    size = 1 << 20
    return np.argmax(np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound)), size))) * RATE / size


@pytest.mark.parametrize("semitones", RATIOS)
def test_a_tone_is_so_many_semitones_higher_as_long_as_it_lasts(semitones):
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)[:, None].astype(np.float32)
    copy = in_key(tone, semitones)
    count = transposed_length(len(copy.recording.samples), semitones)
    assert count / len(copy.recording.samples) == pytest.approx(2 ** (-semitones / 12), rel=1e-3)
    sound = copy.sound(0, count + 100)
    assert 1200 * np.log2(frequency(sound[:count]) / 440) == pytest.approx(100 * semitones, abs=1)
    assert np.sqrt((sound[1000 : count - 1000] ** 2).mean()) == pytest.approx(np.sqrt(0.5), rel=1e-3)
    assert np.abs(sound[count + 40 :]).max() < 1e-3


@pytest.mark.parametrize("semitones", RATIOS)
def test_pieces_are_the_whole(semitones):
    copy = in_key(played(3.0), semitones)
    whole = copy.sound(-500, 30000)
    assert not whole[:400].any()
    for first, last in ((-500, 70), (1, 2), (997, 12345), (29000, 30000)):
        np.testing.assert_allclose(copy.sound(first, last), whole[first + 500 : last + 500], atol=1e-6)


def test_back_in_its_own_key_it_is_the_recording():
    source = recording(played(4.0))
    up = Transposed(source, 2, source.steps)
    back = transposed_sound(up.sound, 0, len(source.samples), -2)
    band = np.fft.rfft((back - source.samples)[2000:-2000, 0])
    whole = np.fft.rfft(source.samples[2000:-2000, 0])
    low = slice(0, len(band) * 7 // 10)  # what is higher than that was above half the rate while it was two up
    assert np.linalg.norm(band[low]) < 2e-3 * np.linalg.norm(whole[low])


@pytest.mark.parametrize("semitones", RATIOS)
def test_steps_are_those_of_its_sound(semitones):
    copy = in_key(played(5.0), semitones)
    count = transposed_length(len(copy.recording.samples), semitones) // STEP
    assert len(copy.steps) == count
    analyzed = recording(copy.sound(0, count * STEP)).steps
    np.testing.assert_allclose(copy.steps.levels[2:-2], analyzed.levels[2:-2], atol=0.2)
    np.testing.assert_allclose(copy.steps.onsets[2:-2], analyzed.onsets[2:-2], atol=0.05)


def test_a_copy_has_the_channels_of_its_recording():
    for channels in (1, 2):
        source = PromptRecording(recording(played(1.0)).steps, played(1.0, channels=channels))
        assert Transposed(source, 1, source.steps).sound(10, 90).shape == (80, channels)


def test_little_music_is_remembered_in_more_keys():
    options = KeyOptions(farthest=2, seconds=3000.0)
    assert semitones_for(600.0, options) == (-2, -1, 1, 2)
    assert semitones_for(601.0, options) == (-1, 1)
    assert semitones_for(1000.0, options) == (-1, 1)
    assert semitones_for(1001.0, options) == ()
    assert semitones_for(1.0, KeyOptions(farthest=0)) == ()
    for wrong in ({"farthest": 3}, {"farthest": -1}, {"seconds": -1.0}):
        with pytest.raises(OptionError):
            KeyOptions(**wrong)
