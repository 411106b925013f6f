"""Samples at an unusual scale: another full scale, a click, a very low level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio.options import FrameOptions
from music_composer.audio.reading.levels import scale_of
from music_composer.audio.reading.recording import read_blocks, read_excerpt
from music_composer.audio.spectrogram import blocks_to_bands, sounding

RATE = 44100
OPTIONS = FrameOptions()


def song(seconds=2.0, level=0.5):
    time = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * 330 * time) * (0.6 + 0.4 * np.sin(2 * np.pi * time)))[:, None]


def read_all(path):
    reading, blocks = read_blocks(path, RATE)
    return np.concatenate(list(blocks)), reading.remarks


def frames_of_music(path):
    bands = np.concatenate(list(blocks_to_bands(read_blocks(path, RATE)[1], OPTIONS)))
    start, stop = sounding(bands.max(axis=(1, 2)), OPTIONS)
    return stop - start


@pytest.mark.parametrize("bits", [16, 24, 32])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_that_count_like_integers_are_brought_to_full_scale(tmp_path, record, bits, subtype):
    sound = song()
    samples, remarks = read_all(record(tmp_path / "a.wav", np.round(sound * 2 ** (bits - 1)), subtype=subtype))
    np.testing.assert_allclose(samples, sound, atol=2.0 ** (1 - bits) + 1e-7)
    assert [f"integers of {bits} bits" in remark for remark in remarks] == [True]


def test_floats_that_count_to_128_are_not_left_far_below_full_scale(tmp_path, record):
    samples, remarks = read_all(record(tmp_path / "a.wav", np.round(song() * 128), subtype="FLOAT"))
    assert 0.25 < np.abs(samples).max() <= 1.0
    assert ["brought down" in remark for remark in remarks] == [True]


def test_long_silence_does_not_hide_that_floats_count_like_integers(tmp_path, record):
    sound = np.concatenate([np.zeros((30 * RATE, 1)), np.round(song(0.2) * 32768)])
    samples, _ = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    assert 0.3 < np.abs(samples).max() <= 0.5


@pytest.mark.parametrize("clicks", [[1e6], [-3e38], [1e6, 5.0, -2e4, 1e30]])
def test_clicks_leave_the_music_as_it_is(tmp_path, record, clicks):
    sound = song()
    sound[1000 : 1000 + len(clicks), 0] = clicks
    samples, remarks = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    np.testing.assert_array_equal(samples[2000:], sound[2000:].astype(np.float32))
    assert np.abs(samples).max() == 4.0
    assert ["4 times full scale" in remark for remark in remarks] == [True]
    assert frames_of_music(tmp_path / "a.wav") > 0.95 * 2 * OPTIONS.frames_per_second


@pytest.mark.parametrize("level", [1.0, 1.5, 3.9])
def test_a_mix_beyond_full_scale_stays_as_it_is(tmp_path, record, level):
    sound = song(level=level)
    samples, remarks = read_all(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    np.testing.assert_array_equal(samples, sound.astype(np.float32))
    assert remarks == []


def test_a_mix_far_beyond_full_scale_is_brought_down(tmp_path, record):
    samples, remarks = read_all(record(tmp_path / "a.wav", song(level=30.0), subtype="FLOAT"))
    np.testing.assert_allclose(samples, song(level=30.0 / 32), atol=1e-6)
    assert ["far beyond full scale: brought down by 30 dB" in remark for remark in remarks] == [True]


@pytest.mark.parametrize(
    ("decibels", "subtype"),
    [(-50, "PCM_16"), (-60, "PCM_16"), (-70, "PCM_16"), (-60, "FLOAT"), (-100, "FLOAT"), (-90, "PCM_24")],
)
def test_very_quiet_music_is_music(tmp_path, record, decibels, subtype):
    path = record(tmp_path / "a.wav", song(level=10 ** (decibels / 20)), subtype=subtype)
    samples, remarks = read_all(path)
    assert 0.25 <= np.abs(samples).max() < 0.5
    assert ["brought up" in remark for remark in remarks] == [True]
    assert f"{decibels} dBFS" in remarks[0] or subtype == "PCM_16"
    assert frames_of_music(path) > 0.95 * 2 * OPTIONS.frames_per_second
    np.testing.assert_array_equal(read_excerpt(path, RATE, 0.5, 1.0).samples, samples[RATE // 2 : RATE // 2 + RATE])


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_silence_stays_silence(tmp_path, record, subtype):
    samples, remarks = read_all(record(tmp_path / "a.wav", np.zeros((RATE, 2)), subtype=subtype))
    assert np.abs(samples).max() <= 2**-7
    assert frames_of_music(tmp_path / "a.wav") == 0
    assert remarks == []


def test_the_dither_of_silence_is_not_music(tmp_path, record):
    dither = np.random.default_rng(0).choice([-1, 0, 1], (RATE, 2)) / 2**15
    samples, remarks = read_all(record(tmp_path / "a.wav", dither))
    assert np.abs(samples).max() == 2**-15
    assert remarks == []


@settings(deadline=None)
@given(
    power=st.integers(-40, 60),
    clicks=st.integers(0, 20),
    loudest=st.floats(0.5, 0.99),
    is_float=st.booleans(),
)
def test_whatever_the_scale_the_music_comes_out_at_a_level_that_is_music(power, clicks, loudest, is_float):
    """In exact powers of two, so that nothing is rounded, unless it is below what a sample can tell."""
    sound = song(1.0, loudest) * 2.0**power
    rng = np.random.default_rng(clicks)
    sound[rng.integers(0, len(sound), clicks)] = 1e20 if is_float else sound.max()
    scale = scale_of(iter(np.array_split(sound.astype(np.float32), 7)), is_float, 24)
    assert np.log2(scale.gain) == round(np.log2(scale.gain))
    level = np.quantile(np.abs(song(1.0, loudest)), 0.99) * 2.0**power * scale.gain  # one in a hundred may be a stray
    if clicks and power <= -8:  # whatever they hide
        return
    if power >= -19 and (is_float or power <= 0):
        assert 2.0**-9 <= level <= 4.0
    assert scale.gain == 1.0 or len(scale.remarks) == 1
    if -6 <= power <= 1:
        assert scale.gain == 1.0
