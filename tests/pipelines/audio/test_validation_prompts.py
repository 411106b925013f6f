"""Prompts of held-out music: whole tracks up to their cuts, and nothing after them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.options import EvaluateOptions, FrameOptions, ModelOptions
from music_composer.audio.reading.recording import read_excerpt
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.cuts import CutOptions, cuts_of
from music_composer.pipelines.audio.validation import divided, held_out_tracks, split_of, whole_tracks
from music_composer.pipelines.audio.validation_prompts import chosen_cuts, excerpts_of, write_prompts
from tests.command import RATE, tune, write

SILENCE = np.zeros((RATE // 2, 2))


@pytest.fixture
def tracks(tmp_path: Path) -> list[Span]:
    """Three tracks of 25 s between silent ends."""
    for i in range(3):
        write(tmp_path / "tracks" / f"{i}.wav", np.concatenate([SILENCE, tune(25, seed=i), SILENCE]))
    return held_out_tracks(tmp_path / "tracks")


def test_tracks_begin_and_end_where_they_sound(tracks: list[Span]) -> None:
    assert [span.path.stem for span in tracks] == ["0", "1", "2"]
    for span in tracks:
        assert (span.start, span.stop) == (pytest.approx(0.5, abs=0.01), pytest.approx(25.5, abs=0.1))


def test_a_prompt_is_the_track_up_to_its_cut_and_no_more(tracks: list[Span], tmp_path: Path) -> None:
    """A tone after the cut is not in the prompt; a tone before it is."""
    first = cuts_of(tracks, CutOptions(), 7.0)[0]
    samples = soundfile.read(first.path)[0]
    before, behind = round(first.at * RATE) - RATE // 4, round(first.at * RATE)
    for place, hz in ((before, 5000), (behind, 9000)):
        samples[place : place + RATE // 4] += 0.1 * np.sin(2 * np.pi * hz * np.arange(RATE // 4) / RATE)[:, None]
    write(first.path, samples)
    options = EvaluateOptions(output=tmp_path / "card", count=4, seconds=7.0)
    cuts = chosen_cuts(held_out_tracks(tmp_path / "tracks"), options)
    names = [f"prompts/{i}.flac" for i in range(4)]
    run = Run(tmp_path / "model", FrameOptions(), ModelOptions(), 2, window_steps=32)
    paths = write_prompts(tracks, cuts, options, names, run)
    assert [path.name for path in paths] == ["0.flac", "1.flac", "2.flac", "3.flac"]
    for cut, path in zip(cuts, paths, strict=False):
        prompt, rate = soundfile.read(path)
        assert len(prompt) / rate == pytest.approx(cut.at - cut.start, abs=0.001)
        assert cut.at - cut.start >= 10.0
        expected = read_excerpt(cut.path, RATE, cut.start, cut.at - cut.start).samples
        np.testing.assert_allclose(prompt, expected, atol=1e-4)
    power = np.abs(np.fft.rfft(soundfile.read(paths[0])[0][-RATE // 4 :, 0])) ** 2
    hz = np.fft.rfftfreq(RATE // 4, 1 / RATE)
    tones = [power[np.abs(hz - tone) < 20].sum() for tone in (5000, 9000)]
    assert tones[1] < 0.001 * tones[0]


def test_there_are_no_more_cuts_than_continuations_and_never_a_single_one(tracks: list[Span]) -> None:
    options = EvaluateOptions(count=2, seconds=7.0)
    assert [cut.path.stem for cut in chosen_cuts(tracks, options)] == ["0", "1"]
    assert chosen_cuts(tracks, replace(options, count=1)) == []
    assert chosen_cuts(tracks[:1], options) == []
    assert chosen_cuts(tracks, replace(options, seconds=30.0)) == []


def test_excerpts_are_spread_over_the_music(tracks: list[Span]) -> None:
    excerpts = excerpts_of(tracks, 7, 4.0)
    assert len({(span.path, round(span.stop, 2)) for span in excerpts}) == 7
    for span in excerpts:
        track = next(each for each in tracks if each.path == span.path)
        assert track.start <= span.start < span.stop <= track.stop
        assert span.stop - span.start == pytest.approx(4.0)


def test_whole_tracks_are_those_of_which_nothing_was_trained_on(tmp_path: Path) -> None:
    for i in range(10):
        write(tmp_path / "songs" / f"{i}.wav", tune(12, seed=i))
    write(tmp_path / "songs" / "copy.wav", tune(12, seed=0))
    ready = cache.prepare(tmp_path / "songs", tmp_path / "train_data")[0]
    run = Run(tmp_path / "model", FrameOptions(), ModelOptions(), 2, window_steps=32, held_out=0.3)
    split = split_of(ready, run, print, new=True)
    training, validation = divided(ready, split)
    whole = whole_tracks(ready, split)
    assert len(whole) == 3
    assert {span.path for span in whole} <= {span.path for span in validation}
    assert {span.path for span in whole}.isdisjoint(span.path for span in training)
    few = [song for song in ready.songs if song.source in ("0.wav", "1.wav", "2.wav")]
    assert whole_tracks(replace(ready, songs=few), split_of(replace(ready, songs=few), run, print, new=True)) == []
