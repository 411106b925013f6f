"""Prompts from a dataset: each sounds, exists and is usable, for every seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.continuation import prompt_selection
from music_composer.audio.continuation.prompt_selection import (
    RandomPrompts,
    draw_prompts,
    keep_prompts,
    require_prompts,
    usable_excerpts,
)
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError, RecordingError
from tests.command import RATE, tune, write

FRAME = FrameOptions()
SEEDS = range(12)


def run_in(folder: Path) -> Run:
    return Run(folder / "model", FRAME, ModelOptions(), channels=2)


def prepared(folder: Path) -> cache.Cache:
    return cache.prepare(folder / "songs", folder / "train_data")[0]


def drawn(ready: cache.Cache, run: Run, seed: int, count: int = 8, messages: list[str] | None = None) -> list:
    source = RandomPrompts(ready, run, 6.0, seed, [].append if messages is None else messages.append)
    return [source.draw(number) for number in range(count)]


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> tuple[cache.Cache, Run]:
    """Music, four times as much silence, music."""
    folder = tmp_path_factory.mktemp("gap")
    write(folder / "songs" / "a.wav", np.concatenate([tune(10), np.zeros((80 * RATE, 2)), tune(10, seed=1)]))
    return prepared(folder), run_in(folder)


@pytest.mark.parametrize("seed", SEEDS)
def test_places_that_are_silent_are_not_drawn(gap: tuple[cache.Cache, Run], seed: int) -> None:
    messages: list[str] = []
    for excerpt, prompt in drawn(*gap, seed, messages=messages):
        assert excerpt.start < 10 or excerpt.start + excerpt.seconds > 90
        assert len(prompt.bands) >= 16
    assert messages == []  # the cache knows: none had to be read in vain


@pytest.fixture(scope="module")
def hits(tmp_path_factory: pytest.TempPathFactory) -> tuple[cache.Cache, Run]:
    folder = tmp_path_factory.mktemp("hits")
    rng = np.random.default_rng(0)
    for i in range(70):
        decay = np.exp(-40 * np.arange(4410) / 44100)[:, None]
        write(folder / "songs" / f"hit{i:03d}.wav", 0.3 * decay * rng.normal(size=(4410, 1)))
    return prepared(folder), run_in(folder)


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_short_recordings_are_heard_together_in_their_order(hits: tuple[cache.Cache, Run], seed: int) -> None:
    for excerpt, prompt in drawn(*hits, seed, count=3):
        names = [int(each.path.stem[3:]) for each in (*excerpt.before, excerpt)]
        assert all((two - one) % 70 == 1 for one, two in zip(names, names[1:], strict=False))
        assert sum(each.seconds for each in (*excerpt.before, excerpt)) == pytest.approx(6.0, abs=0.1)
        assert len(prompt.bands) > 400


def test_a_place_is_that_of_its_seed_and_number_alone(gap: tuple[cache.Cache, Run]) -> None:
    places = [excerpt for excerpt, _ in drawn(*gap, 7)]
    assert [excerpt for excerpt, _ in drawn(*gap, 7, count=3)] == places[:3]
    assert places != [excerpt for excerpt, _ in drawn(*gap, 8)]
    assert len(set(places)) == len(places)


def test_long_recordings_are_drawn_more_often(tmp_path: Path) -> None:
    for name, seconds in (("long", 60), ("short", 10)):
        write(tmp_path / "songs" / f"{name}.wav", tune(seconds))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    names = [next(usable_excerpts(ready, run, 3.0, 1, number)).path.stem for number in range(100)]
    assert 70 < names.count("long") < 97


def test_what_went_or_got_shorter_since_is_drawn_again_and_said(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / "songs" / f"{i}.wav", tune(20, seed=i))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    (tmp_path / "songs" / "0.wav").unlink()
    write(tmp_path / "songs" / "1.wav", tune(0.1))
    messages: list[str] = []
    assert {excerpt.path.name for excerpt, _ in drawn(ready, run, 1, count=10, messages=messages)} <= {"1.wav", "2.wav"}
    assert any("0.wav" in line and "another excerpt is drawn" in line for line in messages)
    (tmp_path / "songs" / "2.wav").unlink()
    (tmp_path / "songs" / "1.wav").unlink()
    with pytest.raises(RecordingError):
        drawn(ready, run, 1)


def test_what_a_run_keeps_can_be_gone_on_from(gap: tuple[cache.Cache, Run], tmp_path: Path) -> None:
    ready, _ = gap
    run = run_in(tmp_path)
    keep_prompts(run, draw_prompts(ready, run, 1, print))
    assert len(list(run.prompts.glob("*.flac"))) == prompt_selection.KEPT_PROMPTS
    options = GenerateOptions(count=20)
    nowhere = FolderOptions(tmp_path / "no", tmp_path / "none", run.folder)
    prompt = prompt_selection.prompts_for(nowhere, run, options, [], [], 1, print)
    assert all(len(prompt(number).bands) >= 16 for number in range(9))


def test_music_without_any_sound_that_is_long_enough_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "songs" / "click.wav", np.concatenate([np.zeros((2000, 2)), np.ones((1, 2)), np.zeros((2000, 2))]))
    ready, run = prepared(tmp_path), run_in(tmp_path)
    for joined in drawn(ready, run, 1, count=1):  # it is heard again and again
        assert len(joined[1].bands) >= 16


def test_a_prompt_that_was_named_and_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    silent, good = tmp_path / "silent.wav", tmp_path / "good.wav"
    write(silent, np.zeros((RATE, 2)))
    write(good, tune(3))
    require_prompts([good], [], GenerateOptions())
    with pytest.raises(RecordingError, match="silent.wav"):
        require_prompts([good, silent], [], GenerateOptions())
    with pytest.raises(RecordingError, match="silent.wav"):
        require_prompts([], [good, silent], GenerateOptions())
    with pytest.raises(OptionError, match="--prompt nowhere.wav"):
        require_prompts([Path("nowhere.wav")], [], GenerateOptions())
