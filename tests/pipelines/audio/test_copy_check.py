"""The line after training about how much of the model's music is in its training music."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.memory.analysis.transposed import transposed
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.reading.recording import mono_samples
from music_composer.evaluation.audio.analysis import Span
from music_composer.pipelines.audio import copy_check
from music_composer.pipelines.audio.validation import divided, split_of
from tests.command import RATE, tune, write

pytestmark = pytest.mark.journey

HERE = Run(Path("model"), FrameOptions(), ModelOptions(), channels=2, window_steps=32)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> cache.Cache:
    folder = tmp_path_factory.mktemp("music")
    for i in range(2):
        write(folder / "songs" / f"song {i}.wav", tune(40, seed=i))
    return cache.prepare(folder / "songs", folder / "train_data")[0]


def test_of_little_music_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path / "few" / "song.wav", tune(50))
    ready = cache.prepare(tmp_path / "few", tmp_path / "train_data")[0]
    assert copy_check.verdict(ready, HERE, split_of(ready, HERE, print, new=True), seed=1) is None


def test_a_model_that_plays_its_recordings_is_found_out(
    ready: cache.Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = split_of(ready, HERE, print, new=True)
    (trained, *_), _ = divided(ready, split)
    stolen = np.concatenate([tune(5, seed=9), tune(40, seed=0)[round(trained.start * RATE) :][: 12 * RATE]])
    write(tmp_path / "played.wav", 0.7 * stolen)
    played = [Span(tmp_path / "played.wav")]
    monkeypatch.setattr(copy_check, "_continuations", lambda *_: played)
    line = copy_check.verdict(ready, HERE, split, seed=1)
    assert line is not None
    found = re.search(r"the model copies: a continuation shares ([\d.]+) s with song 0.wav at (\d+) s", line)
    assert found, line
    assert float(found[1]) == pytest.approx(12, abs=1.5)
    assert float(found[2]) == pytest.approx(trained.start, abs=1.0)


def test_a_copy_at_another_speed_is_found_out_where_it_can_be_played(
    ready: cache.Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = split_of(ready, HERE, print, new=True)
    (trained, *_), _ = divided(ready, split)
    stolen = tune(40, seed=0)[round(trained.start * RATE) :][: 12 * RATE]
    write(tmp_path / "played.wav", 0.7 * transposed(stolen, 2))
    monkeypatch.setattr(copy_check, "_continuations", lambda *_: [Span(tmp_path / "played.wav")])
    seconds = {}
    for speeds in ((), (-2, 2)):
        monkeypatch.setattr(copy_check, "_speeds", lambda run, speeds=speeds: speeds)
        line = copy_check.verdict(ready, HERE, split, seed=1)
        found = re.search(r"([\d.]+) s", line or "")
        assert found, line
        seconds[speeds] = float(found[1])
    assert seconds[-2, 2] == pytest.approx(12 * 2 ** (-2 / 12), abs=1.5)
    assert seconds[()] < 5


def test_what_is_judged_goes_on_from_music_that_was_held_out(
    ready: cache.Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An excerpt of the training music that a memory plays again would be a copy."""
    split = split_of(ready, HERE, print, new=True)
    _, held_out = divided(ready, split)
    prompts: list[np.ndarray] = []

    def play(run: Run, paths: list[Path], *_: object) -> list[object]:
        prompts.extend(mono_samples(path, RATE) for path in paths)
        return []

    monkeypatch.setattr(copy_check, "continue_into_scratch", play)
    monkeypatch.setattr(copy_check, "select_head", lambda run, _: run)
    assert copy_check.verdict(ready, HERE, split, seed=1)
    held_out = [mono_samples(span.path, RATE, span.start, span.stop) for span in held_out]
    assert prompts
    for prompt in prompts:
        piece = prompt[: RATE // 2]
        likeness = [np.abs(scipy.signal.correlate(each, piece, "valid")).max() / np.sum(piece**2) for each in held_out]
        assert max(likeness) == pytest.approx(1.0, abs=0.01)


def test_what_was_held_out_was_not_trained_on(ready: cache.Cache) -> None:
    training, held_out = divided(ready, split_of(ready, HERE, print, new=True))
    assert held_out
    for span in held_out:
        others = [each for each in training if each.path == span.path]
        assert all(each.stop <= span.start or span.stop <= each.start for each in others)
    total = sum(span.stop - span.start for span in [*training, *held_out])
    assert total == pytest.approx(80, abs=1)
