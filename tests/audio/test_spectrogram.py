"""The physics of frames: position and level of a sine, and a lossless way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio import spectrogram as frames
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import (
    analysis_window,
    band_centres,
    band_weights,
    bands_to_magnitudes,
    blocks_to_bands,
    floor,
    spectrum,
    time_stretched,
    to_left_right,
    to_mid_side,
    waveform_to_frames,
)
from music_composer.values import Waveform
from tests.properties import cases

OPTIONS = FrameOptions()
SMALL = FrameOptions(rate=8000, window=256, hop=64, bands=40)


def bands_of(samples, options=OPTIONS):
    return waveform_to_frames(Waveform(samples, options.rate), options).bands


@pytest.mark.parametrize("frequency", [55, 110, 440, 1000, 3000, 8000, 15000])
def test_a_sine_is_loudest_in_the_band_at_its_frequency(sine, frequency):
    frame = bands_of(sine(frequency, 0.5))[20, 0]
    place = np.interp(frequency * OPTIONS.window / OPTIONS.rate, band_centres(OPTIONS), np.arange(OPTIONS.bands))
    assert abs(frame.argmax() - place) <= 1


@pytest.mark.parametrize("level_db", [0, -20, -40])
@pytest.mark.parametrize("bin_number", [7, 35, 42])  # near the centre of a band
def test_the_loudest_band_of_a_sine_reads_its_level(sine, bin_number, level_db):
    frequency, level = bin_number * OPTIONS.rate / OPTIONS.window, 10 ** (level_db / 20)
    frame = bands_of(sine(frequency, 0.5, level=level))[20, 0]
    assert frame.max() == pytest.approx(np.log(level), abs=0.12)  # 1 dB


@pytest.mark.parametrize("frequency", [100, 440.3, 2500, 12000])
def test_all_bands_together_hold_the_power_of_a_sine(sine, frequency):
    magnitudes = bands_to_magnitudes(bands_of(sine(frequency, 0.5, level=0.5))[20, 0], OPTIONS)
    window = analysis_window(OPTIONS)
    power = 2 * np.sum(magnitudes**2) / (OPTIONS.window * np.sum(window**2))  # Parseval
    assert power == pytest.approx(0.5**2 / 2, rel=0.03)


@pytest.mark.parametrize("samples", [0, 1, 3999, 4000, 9500])
def test_a_waveform_in_blocks_gives_the_frames_of_the_whole(monkeypatch, samples):
    sound = np.random.default_rng(0).normal(0, 0.1, (samples, 2)).astype(np.float32)
    whole = np.concatenate(list(blocks_to_bands([sound], SMALL)))
    monkeypatch.setattr(frames, "AT_ONCE", 2000)
    np.testing.assert_array_equal(bands_of(sound, SMALL), whole)
    assert len(whole) == 1 + samples // SMALL.hop


def test_silence_reads_the_floor():
    bands = bands_of(np.zeros((4410, 2), np.float32))
    assert np.allclose(bands, np.log(floor(OPTIONS)))
    assert floor(OPTIONS) == pytest.approx(1e-4)


def test_silence_has_no_magnitude():
    assert np.abs(bands_to_magnitudes(bands_of(np.zeros((4410, 1))), OPTIONS)).max() < 1e-3


def test_pooling_to_bands_and_back_keeps_the_energy():
    noise = np.random.default_rng(0).normal(0, 0.1, (22050, 1)).astype(np.float32)
    magnitudes = np.abs(spectrum(noise[:, 0], OPTIONS))
    pooled = bands_to_magnitudes(bands_of(noise)[2:-2, 0], OPTIONS)[: len(magnitudes)]
    assert np.allclose((pooled**2).sum(axis=1), (magnitudes**2).sum(axis=1), rtol=0.02)


@pytest.mark.parametrize("options", [OPTIONS, SMALL])
def test_every_bin_gives_all_of_itself_to_the_bands(options):
    weights = band_weights(options)
    assert weights.shape == (options.bins, options.bands)
    assert weights.min() >= 0
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert (weights.sum(axis=0) > 0.4).all()  # no band is empty


@pytest.mark.parametrize("options", [OPTIONS, SMALL])
def test_bands_reach_from_0_hz_to_half_the_rate_and_never_get_narrower(options):
    centres = band_centres(options)
    assert (centres[0], centres[-1]) == pytest.approx((0, options.bins - 1))
    assert np.diff(centres).min() >= 1 - 1e-6
    assert np.diff(centres)[:-1].max() <= np.diff(centres)[-2] + 0.5


def test_frames_are_centred_on_every_hop():
    click = np.zeros((20 * OPTIONS.hop, 1), np.float32)
    click[10 * OPTIONS.hop] = 1
    loudness = bands_of(click).max(axis=(1, 2))
    assert len(loudness) == 21
    assert loudness.argmax() == 10
    assert np.allclose(loudness[:10], loudness[11:][::-1], atol=1e-5)


@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=12), channels=st.sampled_from([1, 2]))
@cases(25)
def test_blocks_of_any_size_give_the_frames_of_the_whole(sizes, channels):
    sound = np.random.default_rng(len(sizes)).normal(0, 0.1, (sum(sizes), channels)).astype(np.float32)
    blocks = np.split(sound, np.cumsum(sizes)[:-1])
    streamed = np.concatenate(list(blocks_to_bands(blocks, SMALL)))
    assert streamed.shape == (1 + len(sound) // SMALL.hop, channels, SMALL.bands)
    assert np.allclose(streamed, bands_of(sound, SMALL), atol=1e-4)


def test_no_blocks_give_no_frames():
    assert list(blocks_to_bands([], SMALL)) == []


def test_mono_has_a_mid_only():
    sound = np.ones((10, 1), np.float32)
    assert to_mid_side(sound).shape == (1, 10)
    assert np.array_equal(to_left_right(to_mid_side(sound)), sound)


def test_mid_is_what_is_common_and_side_what_differs():
    assert np.allclose(to_mid_side(np.array([[0.5, 0.5]])), [[0.5], [0]])
    assert np.allclose(to_mid_side(np.array([[0.5, -0.5]])), [[0], [0.5]])


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_mid_and_side_there_and_back_is_exact(seed):
    sixteen_bits = np.random.default_rng(seed).integers(-(2**15), 2**15, (50, 2))
    sound = (sixteen_bits / 2**15).astype(np.float32)
    assert np.array_equal(to_left_right(to_mid_side(sound)), sound)


def test_the_side_of_a_sine_that_is_the_same_on_both_sides_is_silent(sine):
    bands = bands_of(np.repeat(sine(440, 0.2), 2, axis=1))
    assert np.allclose(bands[:, 1], np.log(floor(OPTIONS)))
    assert bands[10, 0].max() > -0.5


@given(frames=st.integers(2, 30), speed=st.floats(0.9, 1.1))
def test_bending_moves_frames_in_time(frames, speed):
    ramp = np.arange(40.0)[:, None, None] * np.ones((1, 2, 3))
    np.testing.assert_allclose(time_stretched(ramp, frames, speed)[:, 1, 2], np.arange(frames) * speed, atol=1e-4)
