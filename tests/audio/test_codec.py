"""The codec loses little of a tone, and the error measures it in decibels."""

import numpy as np
import pytest

from music_composer.audio.codec import log_spectral_error, through_codec
from music_composer.audio.options import FrameOptions
from music_composer.values import Waveform

OPTIONS = FrameOptions()
RATE = OPTIONS.rate


def noise(seconds: float, seed: int = 0) -> Waveform:
    samples = 0.5 * np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2))
    return Waveform(samples.astype(np.float32), RATE)


def louder(sound: Waveform, db: float) -> Waveform:
    return Waveform(sound.samples * np.float32(10 ** (db / 20)), sound.rate)


def test_a_waveform_is_no_distance_from_itself():
    assert log_spectral_error(noise(0.5), noise(0.5), OPTIONS) == 0


@pytest.mark.parametrize("db", [-6.0, 3.0])
def test_a_change_of_level_is_an_error_of_as_many_decibels(db):
    assert log_spectral_error(noise(0.5), louder(noise(0.5), db), OPTIONS) == pytest.approx(abs(db), rel=0.02)


def test_it_does_not_hear_phase():
    sound = noise(0.5)
    assert log_spectral_error(sound, Waveform(-sound.samples, RATE), OPTIONS) == pytest.approx(0, abs=1e-4)


def test_what_is_missing_at_the_end_is_left_out():
    sound = noise(0.5)
    shorter = Waveform(sound.samples[: -3 * OPTIONS.hop], RATE)
    assert log_spectral_error(sound, shorter, OPTIONS) == pytest.approx(0, abs=0.2)  # its last frames see the cut


def test_frames_that_keep_everything_come_back_nearly_whole():
    time = np.arange(RATE) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 440 * time)[:, None] * np.array([1.0, 0.7])
    sound = Waveform(tone.astype(np.float32), RATE)
    same = np.eye(2 * OPTIONS.bands, dtype=np.float32), np.zeros(2 * OPTIONS.bands, np.float32)
    decoded = through_codec(sound, same, lambda latents: latents, 1, 2, OPTIONS, 8, np.random.default_rng(0))
    middle = [each.samples[RATE // 4 : RATE // 2] for each in (sound, decoded)]
    for one, other in (middle, [np.diff(each) for each in middle]):  # both channels, and the side
        assert 10 * np.log10(np.mean(np.square(other)) / np.mean(np.square(one))) == pytest.approx(0, abs=1.0)
    assert log_spectral_error(sound, decoded, OPTIONS) < log_spectral_error(sound, noise(1.0), OPTIONS) / 3
