"""Prompts: the right place, cut where a frame can follow, without silence at the end."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.options import FrameOptions
from music_composer.audio.prompts import (
    CONTEXT_FRAMES,
    Excerpt,
    Prompt,
    blend_prompts,
    phase_context,
    read_prompt,
    whole_recording,
    with_channels,
)
from music_composer.audio.spectrogram import to_mid_side, waveform_to_frames
from music_composer.errors import RecordingError
from music_composer.values import Waveform

OPTIONS = FrameOptions()
RATE, HOP, HALF = OPTIONS.rate, OPTIONS.hop, OPTIONS.window // 2


def sweep(seconds):
    """Returns sound in which no two frames are alike."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * (200 * time + 300 * time**2))).astype(np.float32)[:, None]


def prompt_of(path, start=0.0, seconds=10.0, channels=1, frames_per_step=3):
    return read_prompt(Excerpt(path, start, seconds), channels, frames_per_step, OPTIONS)


def test_the_frames_are_those_of_the_sound_up_to_the_cut(tmp_path, record):
    sound = sweep(2)
    prompt = prompt_of(record(tmp_path / "a.wav", sound, subtype="FLOAT"))
    cut = len(prompt.samples)
    assert np.array_equal(prompt.samples, sound[:cut])
    assert prompt.cut == pytest.approx(cut / RATE)
    following = (cut + HALF) // HOP  # the frame whose window begins at the cut
    assert following * HOP - HALF == cut
    truth = waveform_to_frames(Waveform(sound, RATE), OPTIONS).bands
    assert np.allclose(prompt.bands, truth[following - len(prompt.bands) : following], atol=1e-5)


def test_most_of_the_excerpt_is_used(tmp_path, record):
    prompt = prompt_of(record(tmp_path / "a.wav", sweep(2)))
    seen = len(prompt.samples) + OPTIONS.window - HOP  # the last frame reaches that far
    assert 2 * RATE - HOP < seen <= 2 * RATE
    assert len(prompt.bands) > 2 * OPTIONS.frames_per_second - 10


def test_no_frame_has_seen_the_silence_before_the_excerpt(tmp_path, record):
    sound = sweep(2)
    start = 60  # frames
    path = record(tmp_path / "a.wav", sound, subtype="FLOAT")
    prompt = prompt_of(path, start=start * HOP / RATE, seconds=1.0, frames_per_step=1)
    truth = waveform_to_frames(Waveform(sound, RATE), OPTIONS).bands[start:]
    following = (len(prompt.samples) + HALF) // HOP
    assert np.allclose(prompt.bands, truth[following - len(prompt.bands) : following], atol=1e-3)


@pytest.mark.parametrize("frames_per_step", [1, 3, 4])
def test_the_frames_make_whole_steps(tmp_path, record, frames_per_step):
    prompt = prompt_of(record(tmp_path / "a.wav", sweep(1)), frames_per_step=frames_per_step)
    assert len(prompt.bands) % frames_per_step == 0


def test_the_cut_is_told_in_seconds_of_the_recording(tmp_path, record):
    sound = sweep(3)
    prompt = prompt_of(record(tmp_path / "a.wav", sound, subtype="FLOAT"), start=1.0, seconds=1.0)
    assert 1.9 < prompt.cut < 2.0
    end = round(prompt.cut * RATE)
    assert np.array_equal(prompt.samples[-1000:], sound[end - 1000 : end])


def test_silence_at_the_end_is_left_out(tmp_path, record):
    sound = np.concatenate([sweep(2), np.zeros((2 * RATE, 1), np.float32)])
    prompt = prompt_of(record(tmp_path / "a.wav", sound))
    assert prompt.cut == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("seconds", [0, 0.1, 0.2])
def test_too_little_sound_is_an_error_that_names_the_file(tmp_path, record, seconds):
    with pytest.raises(RecordingError, match=r"short\.wav: no 0\.2 s of sound"):
        prompt_of(record(tmp_path / "short.wav", sweep(seconds)))


def test_silence_is_an_error(tmp_path, record):
    with pytest.raises(RecordingError, match="silent.wav"):
        prompt_of(record(tmp_path / "silent.wav", np.zeros((2 * RATE, 2))), channels=2)


@pytest.mark.parametrize("seconds", [0.28, 1.0])
@pytest.mark.parametrize("channels", [1, 2])
def test_the_phase_gets_the_sound_right_before_the_cut(tmp_path, record, seconds, channels):
    sound = np.concatenate([sweep(seconds), 0.5 * sweep(seconds)], axis=1)[:, :channels]
    prompt = prompt_of(record(tmp_path / "a.wav", sound, subtype="FLOAT"), channels=channels, frames_per_step=1)
    samples, bands = phase_context(prompt, OPTIONS)
    cut = len(prompt.samples)
    assert np.allclose(samples, to_mid_side(sound[cut - CONTEXT_FRAMES * HOP : cut]))
    assert samples.shape == (channels, CONTEXT_FRAMES * HOP)
    assert np.array_equal(bands, prompt.bands[-CONTEXT_FRAMES:])


def test_mono_for_a_stereo_model_is_doubled(tmp_path, record):
    prompt = prompt_of(record(tmp_path / "a.wav", sweep(1)), channels=2)
    assert prompt.bands.shape[1] == 2
    assert np.array_equal(prompt.samples[:, 0], prompt.samples[:, 1])


def test_stereo_for_a_mono_model_is_mixed_down():
    assert np.allclose(with_channels(np.array([[0.2, 0.6]]), 1), [[0.4]])


def test_a_whole_recording_is_its_last_seconds(tmp_path, record):
    path = record(tmp_path / "a.wav", sweep(3))
    assert whole_recording(path, 2) == Excerpt(path, pytest.approx(1.0), 2, whole=True)
    assert whole_recording(path, 5) == Excerpt(path, 0.0, pytest.approx(3.0), whole=True)


def test_short_recordings_are_heard_one_after_the_other(tmp_path, record):
    hits = [sweep(1.5)[i * 6600 : (i + 1) * 6600] for i in range(4)]
    paths = [record(tmp_path / f"{i}.wav", hit, subtype="FLOAT") for i, hit in enumerate(hits)]
    *before, last = [Excerpt(path, 0.0, 6600 / RATE) for path in paths]
    excerpt = dataclasses.replace(last, before=tuple(before))
    joined = read_prompt(excerpt, 1, 3, OPTIONS)
    whole = prompt_of(record(tmp_path / "whole.wav", np.concatenate(hits), subtype="FLOAT"))
    assert np.array_equal(joined.samples, whole.samples)
    assert np.array_equal(joined.bands, whole.bands)
    assert joined.source == paths[-1]
    assert 0 < joined.cut <= 6600 / RATE


def test_a_blend_is_as_loud_as_its_voices_and_ends_with_both():
    rng = np.random.default_rng(0)
    voices = [
        Prompt(
            Path(name),
            rng.normal(0, 0.1, (samples, 2)).astype(np.float32),
            rng.normal(-3, 1, (frames, 2, 8)).astype(np.float32),
            1.0,
            True,
        )
        for name, samples, frames in (("a", 30000, 40), ("b", 20000, 30))
    ]
    blend = blend_prompts(*voices, 0.25)
    assert blend.samples.shape == (30000, 2)
    assert blend.samples.std() == pytest.approx(0.1, rel=0.1)
    expected = np.sqrt(0.75) * voices[0].samples[-20000:] + np.sqrt(0.25) * voices[1].samples
    np.testing.assert_allclose(blend.samples[-20000:], expected, atol=1e-6)
    power = 0.75 * np.exp(2 * voices[0].bands[-30:]) + 0.25 * np.exp(2 * voices[1].bands)
    np.testing.assert_allclose(np.exp(2 * blend.bands[-30:]), power, rtol=1e-4)
    assert np.isfinite(blend.bands).all()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.8])
@pytest.mark.parametrize(("delay", "length"), [(0, 30000), (0, 20000), (3, 30000)])
def test_a_blend_of_a_recording_and_itself_is_as_loud_as_it(share, delay, length):
    """This holds where both prompts have sound; before that, the longer one is alone."""
    sound = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (30000, 1)), axis=0).astype(np.float32)
    sound -= sound.mean()
    bands = np.full((40, 1, 8), -3, np.float32)
    one = Prompt(Path("a"), sound, bands, 1.0, True)
    other = Prompt(Path("b"), np.roll(sound, delay, axis=0)[-length:], bands, 1.0, True)
    blend = blend_prompts(one, other, share)
    decibels = 20 * np.log10(blend.samples[-length:].std() / sound[-length:].std())
    assert abs(decibels) < 0.1
    np.testing.assert_allclose(blend.bands, one.bands, atol=1e-6)


def test_a_blend_of_opposites_is_not_blown_up():
    sound = np.random.default_rng(0).normal(0, 0.1, (3000, 1)).astype(np.float32)
    one, other = (Prompt(Path("a"), each, np.zeros((3, 1, 8), np.float32), 1.0, True) for each in (sound, -sound))
    assert np.abs(blend_prompts(one, other, 0.5).samples).max() < 1e-6


@pytest.mark.parametrize(("share", "alone"), [(0.0, 0), (1.0, 1)])
def test_a_blend_at_either_end_is_that_prompt(share, alone):
    voices = [Prompt(Path(str(i)), np.full((9, 1), i), np.full((3, 1, 2), -i, np.float32), i, i == 1) for i in range(2)]
    blend = blend_prompts(*voices, share)
    assert (blend.source, blend.cut, blend.whole) == (voices[alone].source, voices[alone].cut, voices[alone].whole)
    assert blend.samples is voices[alone].samples
    assert blend.bands is voices[alone].bands
