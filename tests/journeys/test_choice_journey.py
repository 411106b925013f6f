"""A training with a network and a memory, with a network of a few numbers: when it is chosen which of them plays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from music_composer.audio.continuation.choice_file import Figures
from music_composer.audio.play_options import GenerateOptions
from music_composer.context import Context
from music_composer.data.options import FolderOptions
from music_composer.pipelines.audio import compose, generate, head_selection
from music_composer.pipelines.audio.requests import ComposeRequest, GenerateRequest, NetworkChoice, TrainRequest
from music_composer.pipelines.info import describe
from music_composer.training import devices
from music_composer.training.job import restore
from music_composer.training.options import TrainOptions
from tests.command import tune, write
from tests.training.numbers_model import Numbers

pytestmark = pytest.mark.journey

JOB = TrainOptions(epochs=1, batch_size=4, seed=3)
NETWORK = {"neurons": 8, "layers": 1}
SHORT = GenerateOptions(seconds=0.5, count=1, seed=3)


@pytest.fixture
def choices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What is judged when: by figures that speak for the memory. The folder has two songs."""
    judged: list[str] = []

    def trainable(run: Any, music: Any, options: Any, state: Any, resume: bool, say: Any) -> Numbers:
        model = Numbers(state.seed)
        if resume:
            restore(model, run, say)
        return model

    def figures(run: Any, places: Any, training: Any, seed: int) -> tuple[Figures, Figures]:
        judged.append((run.folder / "history.csv").read_text().splitlines()[-1].split(",")[0])
        return Figures(1.0, 9.0), Figures(0.5, 1.0)

    monkeypatch.setattr("music_composer.reports.plots.plot_loss", lambda history, path: path.write_bytes(b"picture"))
    monkeypatch.setattr(devices, "load_keras", lambda before: None)
    monkeypatch.setattr(devices, "describe", lambda: "no network")
    monkeypatch.setattr(compose, "trainable_network", trainable)
    monkeypatch.setattr(compose, "_report_copying", lambda *_: None)
    monkeypatch.setattr(
        head_selection, "places_in", lambda spared, options: [head_selection.Cut(Path("a.wav"), 0.0, 5.0, 4.0)] * 4
    )
    monkeypatch.setattr(head_selection, "sounds", lambda cut, run: True)
    monkeypatch.setattr(head_selection, "judged", figures)
    monkeypatch.chdir(tmp_path)
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
    return judged


def train(options: TrainOptions = JOB, fresh: bool = False, **network: Any) -> list[str]:
    said: list[str] = []
    compose.train(
        TrainRequest(network=NetworkChoice(**(network or NETWORK)), training=options, fresh=fresh), Context(said.append)
    )
    return said


def test_a_choice_follows_each_training_and_is_played(choices: list[str], tmp_path: Path) -> None:
    assert "the memory plays" in train()[-1]
    paths = compose.compose(ComposeRequest(training=JOB, sampling=SHORT))
    assert choices == ["1", "2"], "after each"
    assert json.loads(paths[0].with_suffix(".json").read_text())["model_options"]["head"] == "memory"
    first = paths[0].read_bytes()
    again = generate.generate(GenerateRequest(sampling=SHORT))[0].read_bytes()
    assert again == first, "the same seed"
    assert describe(FolderOptions()).model.choice.startswith("the memory plays")


def test_a_finished_job_is_not_judged_again(choices: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(generate, "generate", killed)
        with pytest.raises(KeyboardInterrupt):
            compose.compose(ComposeRequest(network=NetworkChoice(**NETWORK), training=JOB, sampling=SHORT))
    compose.compose(ComposeRequest(network=NetworkChoice(**NETWORK), training=JOB, sampling=SHORT))
    assert choices == ["1"]


@pytest.mark.parametrize("place", ["before it", "in it", "while it is written"])
def test_a_command_that_was_killed_before_the_choice_makes_it(choices, monkeypatch, tmp_path: Path, place: str) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    name = {"before it": "choose", "in it": "judged", "while it is written": "write_choice"}[place]
    with monkeypatch.context() as broken:
        broken.setattr(head_selection, name, killed)
        with pytest.raises(KeyboardInterrupt):
            train()
    assert not (tmp_path / "model" / "choice.json").exists()
    said = train()
    assert any("no head is chosen yet" in line for line in said)
    assert (tmp_path / "model" / "history.csv").read_text().count("\n") == 2, "one epoch, not two"
    assert choices[-1] == "1"
    train()
    assert choices[-1] == "2"


def test_a_memory_that_is_lost_before_the_choice_is_made_again(choices, monkeypatch, tmp_path: Path) -> None:
    train()
    (tmp_path / "model" / "choice.json").unlink()
    (tmp_path / "model" / "memory.json").write_text("{")
    train()
    assert json.loads((tmp_path / "model" / "memory.json").read_text())["entries"]
    assert choices == ["1", "1"]


def test_nothing_of_another_memory_is_left(choices: list[str], tmp_path: Path) -> None:
    train()
    (tmp_path / "input_music_dataset" / "0.wav").unlink()
    write(tmp_path / "input_music_dataset" / "2.wav", tune(12, seed=5, channels=1))
    train()
    files = {path.name for path in (tmp_path / "model" / "memory").iterdir()}
    entries = json.loads((tmp_path / "model" / "memory.json").read_text())["entries"]
    assert {entry["source"] for entry in entries} == {"1.wav", "2.wav"}
    assert len(files) == 2 * len(entries)
    train(fresh=True, **NETWORK, head="flow")
    assert not (tmp_path / "model" / "memory").exists()
    assert not (tmp_path / "model" / "choice.json").exists()
    assert choices == ["1", "2"], "with --head flow there is nothing to choose"


def test_a_new_training_plays_as_the_old_one_until_it_has_weights(choices, monkeypatch, tmp_path: Path) -> None:
    train()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(compose, "_train_job", killed)
        with pytest.raises(KeyboardInterrupt):
            train(fresh=True)
    assert json.loads((tmp_path / "model" / "choice.json").read_text())["head"] == "memory"
    assert generate.generate(GenerateRequest(sampling=SHORT))
    said = train()
    assert choices == ["1", "1"]
    assert "the memory plays" in said[-1]
