"""Planted copies are found in place; music without copies has short runs only."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import frames_to_waveform
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.errors import MusicComposerError, OptionError, RecordingError
from music_composer.evaluation.audio.signal.semitones import semitone_levels
from music_composer.evaluation.audio.similarity import copying
from music_composer.evaluation.audio.similarity.copying import (
    NO_COPY,
    Copy,
    CopyOptions,
    Library,
    find_copies,
    library_of,
    library_of_files,
    longest_copy,
)
from music_composer.values import Waveform
from tests.partials import falling, harmonics

pytestmark = pytest.mark.journey

RATE = 44100
OPTIONS = CopyOptions()
SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
FRAME = 4096 / RATE  # s


def chords(seed: int, seconds: float, shift: int = 0, step: float = 0.4) -> np.ndarray:
    """Three notes every `step` seconds out of one major scale, like a plucked string: (n,) float32."""
    rng, length = np.random.default_rng(seed), round(step * RATE)
    time = np.arange(round(1.5 * length)) / RATE
    decay = 0.1 * np.minimum(1.0, 8 - 8 * time / time[-1]) * np.exp(-2 * time)
    count = int(np.ceil(seconds / step))
    sound = np.zeros(count * length + len(time), np.float32)
    for at in range(0, count * length, length):
        for pitch in rng.choice(21, 3, replace=False):
            hertz = 110.0 * 2.0 ** ((12 * (pitch // 7) + SCALE[pitch % 7] + shift) / 12.0)
            sound[at : at + len(time)] += decay * harmonics(hertz, len(time), falling(6, 1))
    return sound[: round(seconds * RATE)]


def cut(sound: np.ndarray, start: float, seconds: float) -> np.ndarray:
    return sound[round(start * RATE) : round((start + seconds) * RATE)]


def levels_of(*sounds: np.ndarray) -> np.ndarray:
    return semitone_levels(np.concatenate(sounds), OPTIONS.spectrum)


def noise(seed: int, seconds: float, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def library() -> Library:
    """Three recordings: seeds 0, 1 and 2, of 24, 24 and 16 s."""
    return library_of([levels_of(chords(seed, seconds)) for seed, seconds in ((0, 24.0), (1, 24.0), (2, 16.0))])


def assert_is_at(run: Copy, start: float, seconds: float, source: int, source_start: float, shift: int = 0) -> None:
    covered = min(run.start + run.seconds, start + seconds) - max(run.start, start)
    assert covered >= 0.8 * seconds
    assert run.seconds <= seconds + 1.0
    assert (run.source, run.shift) == (source, shift)
    assert run.source_start - run.start == pytest.approx(source_start - start, abs=0.6 * FRAME)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_a_copy_is_found_where_it_is_and_how_it_was_transposed(library: Library, shift: int) -> None:
    copied = cut(chords(1, 24.0, shift), 11.3, 5.0)
    levels = levels_of(chords(8, 7.13), copied, chords(9, 6.0))
    assert_is_at(longest_copy(levels, library, OPTIONS), 7.13, 5.0, 1, 11.3, shift)


def test_a_copy_transposed_too_far_is_not_found(library: Library) -> None:
    copied = levels_of(cut(chords(1, 24.0, 3), 11.3, 8.0))
    assert longest_copy(copied, library, OPTIONS).seconds < 2.0
    assert_is_at(longest_copy(copied, library, CopyOptions(shifts=3)), 0.0, 8.0, 1, 11.3, 3)


def resynthesised(sound: np.ndarray) -> np.ndarray:
    frames = waveform_to_frames(Waveform(sound[:, None], RATE), FrameOptions())
    return frames_to_waveform(frames, FrameOptions(), 8, np.random.default_rng(0)).samples[:, 0]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda sound: 2.0 * sound, id="louder"),
        pytest.param(lambda sound: 0.5 * sound, id="softer"),
        pytest.param(lambda sound: sound + noise(3, len(sound) / RATE, 10 ** (-30 / 20) * sound.std()), id="noise"),
        pytest.param(lambda sound: np.round(sound * 32767) / 32767, id="16 bit"),
        pytest.param(
            lambda sound: scipy.signal.sosfilt(scipy.signal.butter(8, 2000, fs=RATE, output="sos"), sound),
            id="low-pass",
        ),
        pytest.param(resynthesised, id="our frames"),
    ],
)
def test_a_damaged_copy_is_found(library: Library, damage: Callable[[np.ndarray], np.ndarray]) -> None:
    music = np.concatenate([chords(8, 4.07), cut(chords(0, 24.0), 3.21, 5.0), chords(9, 4.0)])
    run = longest_copy(levels_of(damage(music)), library, OPTIONS)
    assert_is_at(run, 4.07, 5.0, 0, 3.21)
    assert run.likeness > 0.8


def test_gain_makes_no_difference(library: Library) -> None:
    music = np.concatenate([chords(8, 4.0), cut(chords(2, 16.0), 3.0, 6.0)])
    loud, soft = (longest_copy(levels_of(gain * music), library, OPTIONS) for gain in (1.0, 0.3))
    assert (soft.start, soft.source_start) == (loud.start, loud.source_start)
    assert soft.likeness == pytest.approx(loud.likeness, abs=0.03)


def test_a_recording_is_a_copy_of_itself_from_end_to_end(library: Library) -> None:
    music = chords(1, 24.0)
    run = longest_copy(levels_of(music), library, OPTIONS)
    frames = (len(music) - 8192) // 4096 + 1
    assert run == Copy(pytest.approx(frames * FRAME), FRAME / 2, 1, FRAME / 2, 0, pytest.approx(1.0, abs=1e-4))


def test_unrelated_music_in_the_same_key_has_short_runs_only(library: Library) -> None:
    assert longest_copy(levels_of(chords(8, 30.0)), library, OPTIONS).seconds < 2.0


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda seed: np.zeros(12 * RATE, np.float32), id="silence"),
        pytest.param(lambda seed: noise(seed, 12.0, 2e-5), id="dither"),
        pytest.param(lambda seed: noise(seed, 12.0), id="noise"),
        pytest.param(lambda seed: np.cumsum(noise(seed, 12.0, 1e-3)), id="brown noise"),
        pytest.param(lambda seed: 5e-4 * np.sin(2 * np.pi * 100 * np.arange(12 * RATE) / RATE), id="faint hum"),
    ],
)
def test_what_is_no_music_is_no_copy(make: Callable[[int], np.ndarray]) -> None:
    assert longest_copy(levels_of(make(5)), library_of([levels_of(make(6))]), OPTIONS) == NO_COPY


def test_silence_does_not_lengthen_a_copy() -> None:
    silence = np.zeros(5 * RATE, np.float32)
    source = levels_of(silence, chords(0, 6.0), silence, chords(1, 6.0))
    found = find_copies(source, library_of([source]), OPTIONS, at_least=1.0)
    assert sorted(round(run.start) for run in found) == [5, 16]
    assert all(run.seconds == pytest.approx(6.0, abs=0.5) for run in found)


def test_runs_are_longest_first_and_do_not_overlap(library: Library) -> None:
    music = [chords(8, 3.0), cut(chords(0, 24.0), 2.0, 4.0), cut(chords(2, 16.0), 5.0, 7.0), chords(9, 3.0)]
    found = find_copies(levels_of(*music), library, OPTIONS)
    assert_is_at(found[0], 7.0, 7.0, 2, 5.0)
    assert_is_at(found[1], 3.0, 4.0, 0, 2.0)
    assert [run.seconds for run in found] == sorted((run.seconds for run in found), reverse=True)
    spans = sorted((run.start, run.start + run.seconds) for run in found)
    assert all(end <= start + 1e-6 for (_, end), (start, _) in zip(spans, spans[1:], strict=False))
    assert find_copies(levels_of(*music), library, OPTIONS, at_least=5.0) == found[:1]


def test_a_run_that_overlaps_a_longer_one_is_cut_to_what_is_left_of_it() -> None:
    """One recording holds the first 8 s of the music, the other the last 7 of its 11 s."""
    music = chords(0, 11.0)
    sources = [np.concatenate(parts) for parts in ((cut(music, 0, 8), chords(8, 4)), (chords(9, 4), cut(music, 4, 7)))]
    library = library_of([levels_of(source) for source in sources])
    found = find_copies(levels_of(music), library, OPTIONS)
    assert [(run.source, round(run.seconds)) for run in found] == [(0, 8), (1, 3)]
    assert_is_at(found[1], found[0].seconds, 3.0, 1, found[0].seconds)
    assert 0.8 < found[1].likeness <= 1.0
    short = levels_of(cut(music, 0, 8.3))  # too little is left of the second recording to be a run
    assert [run.source for run in find_copies(short, library, OPTIONS)] == [0]


def test_no_run_goes_on_from_one_recording_into_the_next() -> None:
    """The second recording continues the first: only the seam is not in the library."""
    whole = levels_of(chords(0, 20.0))
    found = find_copies(whole, library_of([whole[:100], whole[:0], whole[100:], whole[:0]]), OPTIONS, at_least=2.0)
    assert sorted((run.source, round(run.seconds / FRAME)) for run in found) == [(0, 100), (2, len(whole) - 100)]
    assert [run.source_start for run in found] == [FRAME / 2, FRAME / 2]


@pytest.mark.parametrize(("gap", "runs"), [(0.2, 1), (2.0, 2)])
def test_a_short_disagreement_does_not_break_a_run(library: Library, gap: float, runs: int) -> None:
    music = chords(0, 24.0)
    music[8 * RATE : round((8 + gap) * RATE)] = noise(4, gap)
    found = find_copies(levels_of(music), library, OPTIONS, at_least=2.0)
    assert len(found) == runs
    assert found[-1].seconds == pytest.approx(24.0 if runs == 1 else 8.0, abs=0.5)


def test_a_long_run_survives_no_longer_a_disagreement_than_a_short_one(library: Library) -> None:
    music = [cut(chords(0, 24.0), 0.0, 18.0), chords(8, 2.0), cut(chords(0, 24.0), 20.0, 4.0)]
    found = find_copies(levels_of(*music), library, OPTIONS, at_least=2.0)
    assert [round(run.seconds) for run in found] == [18, 4]


def test_of_equally_long_runs_the_likest_is_taken() -> None:
    """Slow chords resemble themselves a little later, and repeats are not the source of a copy."""
    slow = chords(3, 20.0, step=1.5)
    again = slow + 0.3 * chords(4, 20.0, shift=24)
    library = library_of([levels_of(again), levels_of(slow), levels_of(again)])
    run = longest_copy(levels_of(chords(8, 3.0), cut(slow, 4.27, 8.0), chords(9, 3.0)), library, OPTIONS)
    assert_is_at(run, 3.0, 8.0, 1, 4.27)


def naive_longest(levels: np.ndarray, sources: np.ndarray, options: CopyOptions) -> int:
    """Returns the frames of the longest run without transposition, found pair by pair."""

    def units(picture: np.ndarray) -> np.ndarray:
        half = options.surroundings // 2
        padded = np.pad(picture, ((0, 0), (half, half)), mode="edge")
        means = np.stack([padded[:, i : i + picture.shape[1]] for i in range(options.surroundings)]).mean(axis=0)
        return (picture - means) / np.linalg.norm(picture - means, axis=1, keepdims=True)

    likeness, longest = units(levels) @ units(sources).T, 0
    for offset in range(-len(levels) + 1, len(sources)):
        score, length = 0.0, 0
        for value in np.diagonal(likeness, offset):
            length = length + 1 if score > 0 else 1
            score = min(options.cap, max(0.0, score + value - options.threshold))
            longest = max(longest, length) if score >= options.cap - 1e-6 else longest
    return longest


@pytest.mark.parametrize("seed", range(4))
def test_runs_are_as_long_as_a_plain_loop_finds_them(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random spectra, of which stretches were copied with noise. All of the longest, not nearly all, for this once."""
    monkeypatch.setattr(copying, "NEARLY", 1.0)
    options, rng = CopyOptions(shifts=0, cap=1.5), np.random.default_rng(seed)
    sources, levels = rng.normal(-30, 10, (90, 84)), rng.normal(-30, 10, (60, 84))
    for begin, length, column in ((2, 20, 50), (30, 25, 10)):
        copied = sources[column : column + length]
        levels[begin : begin + length] = copied + rng.normal(0, 8, copied.shape)
    run = longest_copy(levels.astype(np.float32), library_of([sources.astype(np.float32)]), options)
    assert run.seconds / FRAME == pytest.approx(naive_longest(levels, sources, options))
    assert 15 < run.seconds / FRAME < 30


def test_block_boundaries_make_no_difference(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = levels_of(chords(8, 3.0), cut(chords(0, 24.0), 2.0, 4.0), cut(chords(2, 16.0), 5.0, 7.0))
    whole = find_copies(levels, library, OPTIONS)
    for at_once in (1, 7 * len(library.levels)):
        monkeypatch.setattr(copying, "LIKENESSES_AT_ONCE", at_once)
        in_blocks = find_copies(levels, library, OPTIONS)
        assert [(r.seconds, r.start, r.source) for r in in_blocks] == [(r.seconds, r.start, r.source) for r in whole]


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2, 0.4])
def test_music_too_short_to_tell_holds_no_copy(library: Library, seconds: float) -> None:
    assert longest_copy(levels_of(chords(0, 1.0)[: round(seconds * RATE)]), library, OPTIONS) == NO_COPY


def test_nothing_to_compare_with_is_refused() -> None:
    with pytest.raises(MusicComposerError, match="0 training recordings"):
        library_of([])
    with pytest.raises(MusicComposerError, match="2 training recordings"):
        library_of([levels_of(np.zeros(100))] * 2)
    with pytest.raises(MusicComposerError, match="0 training recordings"):
        library_of_files([], OPTIONS)


def test_files_are_a_library(tmp_path: Path, library: Library) -> None:
    paths = [tmp_path / f"{seed}.wav" for seed in (1, 2)]
    for path, (seed, seconds) in zip(paths, ((1, 24.0), (2, 16.0)), strict=True):
        soundfile.write(path, chords(seed, seconds), RATE, subtype="FLOAT")
    read = library_of_files(paths, OPTIONS)
    assert read.levels == pytest.approx(library.levels[library.firsts[1] :], abs=1e-3)
    assert list(read.firsts) == list(library.firsts[1:] - library.firsts[1])
    with pytest.raises(RecordingError, match="missing.wav"):
        library_of_files([tmp_path / "missing.wav"], OPTIONS)


def test_nan_is_refused(library: Library) -> None:
    levels = levels_of(chords(0, 2.0))
    levels[3, 4] = np.nan
    for music, sources in ((levels, library), (library.levels, library_of([levels]))):
        with pytest.raises(MusicComposerError, match="not numbers"):
            find_copies(music, sources, OPTIONS)


@pytest.mark.parametrize("bad", [{"shifts": -1}, {"shifts": 42}, {"threshold": 1.0}, {"cap": 0.0}, {"surroundings": 0}])
def test_options_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        CopyOptions(**bad)  # type: ignore[arg-type]
