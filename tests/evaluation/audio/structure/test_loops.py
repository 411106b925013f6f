"""Planted loops, music without loops, and the count against its definition."""

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.semitones import SemitoneOptions, semitone_levels
from music_composer.evaluation.audio.structure import loops
from music_composer.evaluation.audio.structure.loops import (
    LoopOptions,
    Repetition,
    is_loop,
    is_stuck,
    most_repeated,
    returning,
)
from music_composer.values import Waveform

pytestmark = pytest.mark.journey

OPTIONS = LoopOptions()
RATE = 44100


@lru_cache
def tone(note: int) -> np.ndarray:
    time = np.arange(RATE // 4) / RATE
    pitch = 440.0 * 2.0 ** ((note - 69) / 12)
    return 0.1 * np.exp(-4 * time) * sum(np.sin(2 * np.pi * pitch * k * time) / k**1.5 for k in range(1, 9))


def walk(seed: int, seconds: float) -> np.ndarray:
    """Two voices of harmonic notes that walk at random, four notes a second: (n,) float32."""
    rng = np.random.default_rng(seed)
    parts = []
    for low, high in ((45, 62), (60, 84)):
        notes, note = [], int(rng.integers(low, high))
        for _ in range(int(4 * seconds)):
            note = min(max(note + int(rng.integers(-5, 6)), low), high)
            notes.append(rng.uniform(0.5, 1.0) * tone(note))
        parts.append(np.concatenate(notes))
    return (parts[0] + parts[1]).astype(np.float32)


def repetition_in(samples: np.ndarray) -> Repetition:
    tones = SemitoneOptions()
    return most_repeated(semitone_levels(samples, tones), tones.frames_per_second, OPTIONS)


def noisy(samples: np.ndarray) -> np.ndarray:
    """Adds white noise 30 dB below."""
    noise = np.random.default_rng(0).normal(size=samples.shape) * samples.std() * 10 ** (-30 / 20)
    return samples + noise.astype(np.float32)


def through_codec(samples: np.ndarray) -> np.ndarray:
    options = FrameOptions()
    frames = waveform_to_frames(Waveform(samples[:, None], RATE), options)
    return frames_to_waveform(frames, options, 8, np.random.default_rng(0)).samples[:, 0]


@pytest.mark.parametrize(
    ("period", "damage"),
    [
        (4.0, None),
        (4.05, None),
        (4.1234, None),
        (4.0, noisy),
        (4.05, noisy),
        (4.0, through_codec),
        (4.05, through_codec),
    ],
)
def test_a_planted_loop_is_found_where_it_is(period: float, damage) -> None:
    loop = np.tile(walk(1, 5.0)[: int(period * RATE)], 5)
    music = np.concatenate([walk(2, 10.0), loop, walk(3, 6.0)])
    found = repetition_in(music if damage is None else damage(music))
    assert found.times == 5
    assert is_loop(found, OPTIONS)
    assert found.in_a_row == 5
    assert is_stuck(found, OPTIONS)
    assert np.abs(found.starts - (10.0 + period * np.arange(5))).max() < 1.0


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_of_notes_has_none(seed: int) -> None:
    found = repetition_in(walk(seed, 60.0))
    assert found.times == 1
    assert not is_loop(found, OPTIONS)


@pytest.mark.parametrize(("times", "loop"), [(2, False), (3, False), (4, True)])
def test_more_than_three_times_is_a_loop(times: int, loop: bool) -> None:
    four, between = walk(5, 4.0), [walk(6 + i, 3.0) for i in range(times)]
    found = repetition_in(np.concatenate([part for other in between for part in (other, four)] + [walk(4, 3.0)]))
    assert found.times == times
    assert is_loop(found, OPTIONS) == loop
    assert np.abs(found.starts - (3.0 + 7.0 * np.arange(times))).max() < 1.0


def test_a_short_loop_and_one_that_fades_are_found() -> None:
    assert repetition_in(np.concatenate([np.tile(walk(1, 2.0), 9), walk(2, 8.0)])).times == 4  # of 18 s
    fading = [walk(1, 4.0) * np.float32(10 ** (-4 * i / 20)) for i in range(4)]
    assert repetition_in(np.concatenate([*fading, walk(2, 8.0)])).times == 4


def test_a_held_chord_is_a_loop_and_silence_is_not() -> None:
    time = np.arange(20 * RATE) / RATE
    chord = sum(0.1 * np.sin(2 * np.pi * f * time) for f in (220.0, 277.2, 329.6)).astype(np.float32)
    assert repetition_in(np.concatenate([walk(1, 10.0), chord])).times == 5
    assert repetition_in(np.concatenate([walk(1, 10.0), np.zeros(30 * RATE, np.float32)])).times == 1
    assert repetition_in(np.concatenate([walk(1, 10.0), 1e-4 * noisy(chord)])).times == 1
    assert repetition_in(np.zeros(20 * RATE, np.float32)) == Repetition(())


def test_too_little_music_is_refused() -> None:
    with pytest.raises(MusicComposerError, match="3.9 s are too short.*4.0 s"):
        most_repeated(np.zeros((39, 72)), 10.0, OPTIONS)
    assert most_repeated(np.random.default_rng(0).normal(size=(40, 72)), 10.0, OPTIONS).times == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=3, max_size=40), st.integers(0, 1000))
def test_the_count_is_the_definition_word_for_word(chords: list[int], seed: int) -> None:
    """Every pair is compared in turn; the matrix comes in blocks of 7 rows, a segment is 3 frames."""
    palette = np.random.default_rng(seed).normal(size=(3, 12)) * 10.0
    levels = palette[chords]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "ROWS_AT_ONCE", 7)
        found = most_repeated(levels, 1.0, LoopOptions(seconds=3.0, range_db=200.0, similarity=0.95))
    frames = levels - levels.mean(axis=1, keepdims=True)
    segments = [frames[at : at + 3].ravel() for at in range(len(frames) - 2)]
    best: list[int] = []
    for one in segments:
        apart: list[int] = []
        for at, other in enumerate(segments):
            alike = one @ other >= 0.95 * np.linalg.norm(one) * np.linalg.norm(other)
            if alike and (not apart or at - apart[-1] >= 3):
                apart.append(at)
        best = apart if len(apart) > len(best) else best
    assert found.starts == tuple(best)


def test_options_that_make_no_sense_are_refused() -> None:
    for bad in ({"seconds": 0.0}, {"similarity": 1.0}, {"range_db": -1.0}, {"most": 0}):
        with pytest.raises(OptionError):
            LoopOptions(**bad)


def test_a_theme_that_comes_back_now_and_then_is_a_repetition_and_nobody_is_stuck_in_it() -> None:
    theme = walk(1, 5.0)
    between = [walk(seed, 9.0) for seed in range(2, 8)]
    found = repetition_in(np.concatenate([part for other in between for part in (theme, other)]))
    assert found.times == 6
    assert is_loop(found, OPTIONS)
    assert found.in_a_row == 1
    assert not is_stuck(found, OPTIONS)


def test_a_succession_is_found_beside_a_theme_that_comes_back_more_often() -> None:
    theme, loop = walk(1, 5.0), np.tile(walk(9, 4.0), 4)
    between = [walk(seed, 9.0) for seed in range(2, 8)]
    found = repetition_in(np.concatenate([*(part for other in between for part in (theme, other)), loop]))
    assert found.times == 6
    assert found.in_a_row == 4


def test_the_share_that_returns_is_what_was_planted():
    """The first eight of 24 s recur at the end: segments of four seconds begin in four of each."""
    tones = SemitoneOptions()
    levels = semitone_levels(walk(1, 16.0), tones)
    assert returning(levels, tones.frames_per_second, OPTIONS) == 0.0
    planted = np.concatenate([walk(1, 16.0), walk(1, 16.0)[: 8 * RATE]])
    share = returning(semitone_levels(planted, tones), tones.frames_per_second, OPTIONS)
    assert share == pytest.approx(8.0 / 20.0, abs=0.06)
    assert np.isnan(returning(np.full((200, 84), -80.0), tones.frames_per_second, OPTIONS))


def test_a_held_stretch_does_not_return_to_itself():
    """Six seconds of one chord: every segment overlaps every other one."""
    tones = SemitoneOptions()
    levels = semitone_levels(np.concatenate([np.tile(tone(60), 24), walk(3, 8.0)]), tones)
    assert returning(levels, tones.frames_per_second, OPTIONS) == 0.0
