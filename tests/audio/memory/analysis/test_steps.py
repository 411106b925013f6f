"""Steps from frames with known levels and onsets."""

import numpy as np
import pytest

from music_composer.audio.memory.analysis.steps import StepOptions, steps_of
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import OptionError
from music_composer.values import Waveform

FRAME, OPTIONS = FrameOptions(), StepOptions()
STEP = FRAME.hop * OPTIONS.frames


def steps_from(samples):
    return steps_of(waveform_to_frames(Waveform(samples[:, None].astype(np.float32), FRAME.rate), FRAME).bands, OPTIONS)


def beats(gain=1.0):
    """Returns a tone that is struck every 20 steps and rings."""
    time = np.arange(200 * STEP)
    return gain * 0.5 * np.sin(2 * np.pi * 440 * time / FRAME.rate) * np.exp(-(time % (20 * STEP)) / (8 * STEP))


def test_a_step_has_its_levels_and_a_recording_its_steps():
    steps = steps_from(0.5 * np.sin(2 * np.pi * 1000 * np.arange(100 * STEP) / FRAME.rate))
    assert len(steps) == len(steps.onsets) == 100
    assert steps.levels.shape == (100, FRAME.bands // OPTIONS.pooled)
    assert np.ptp(steps.levels[5:-5].max(axis=1)) < 0.5
    assert steps.levels[50].max() == pytest.approx(-6.0 - 10 * np.log10(3), abs=2.5)
    assert steps.levels.min() == pytest.approx(steps.levels.max() - OPTIONS.range_db, abs=1.0)


def test_onsets_are_where_something_is_struck():
    onsets = steps_from(beats()).onsets
    struck = np.flatnonzero(onsets > 0.5 * onsets.max())
    assert {round(step / 20) * 20 for step in struck} == set(range(20, 200, 20))
    assert np.abs((struck + 10) % 20 - 10).max() <= 1


def test_loudness_does_not_matter_to_onsets():
    np.testing.assert_allclose(steps_from(beats(0.1)).onsets, steps_from(beats()).onsets, atol=0.1)


def test_stereo_is_heard_by_what_is_in_the_middle():
    bands = waveform_to_frames(Waveform(np.repeat(beats()[:, None], 2, axis=1).astype(np.float32), FRAME.rate), FRAME)
    np.testing.assert_array_equal(steps_of(bands.bands, OPTIONS).levels, steps_from(beats()).levels)


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_no_step_is_made_of_too_few_frames(frames):
    steps = steps_of(np.full((frames, 1, FRAME.bands), -3.0, np.float16), OPTIONS)
    assert len(steps) == len(steps.onsets) == frames // 2


def test_silence_has_no_onsets():
    assert not steps_from(np.zeros(50 * STEP)).onsets.any()


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"pooled": 0}, {"range_db": 0.0}, {"usual": 101.0}, {"strongest": 0}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        StepOptions(**wrong)
