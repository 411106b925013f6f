"""What is trained and written stays, whatever becomes of the report after it; and what is refused before any of it."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from music_composer import compose, originality
from music_composer.errors import OptionError, RecordingError
from music_composer.options import FolderOptions, GenerateOptions, TrainOptions
from tests.command import TINY, assert_refused, music_composer, tune, write


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens when; nothing is trained or written."""
    happened: list[str] = []
    here = types.SimpleNamespace(checkpoint=Path("checkpoint.npz"))

    def trained(*_: object) -> tuple[object, None]:
        happened.append("trained")
        return here, None

    def generate(*_: object, **__: object) -> list[Path]:
        happened.append("written")
        return [Path("output-0.wav")]

    monkeypatch.setattr(compose, "_trained", trained)
    monkeypatch.setattr(compose, "generate", generate)
    monkeypatch.setattr(compose, "split_of", lambda *_: None)
    monkeypatch.setattr(compose.checkpoint, "mark_generated", lambda path: happened.append("marked"))
    monkeypatch.setattr(compose.checkpoint, "read_state", lambda path: types.SimpleNamespace(seed=1))
    return happened


def _verdict(order: list[str], monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    def verdict(*_: object) -> object:
        order.append("report")
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(originality, "verdict", verdict)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecordingError("a.wav: cannot be read"), "a.wav: cannot be read"),
        (ValueError("need at least one array"), "ValueError('need at least one array')"),
        (MemoryError(), "MemoryError()"),
        (OSError(5, "I/O error"), "I/O error"),
    ],
)
def test_a_report_that_cannot_be_made_is_a_note_after_the_music(order, monkeypatch, error, words) -> None:
    _verdict(order, monkeypatch, error)
    said: list[str] = []
    paths = compose.compose(FolderOptions(), {}, TrainOptions(), GenerateOptions(), say=said.append)
    assert paths == [Path("output-0.wav")]
    assert order == ["trained", "written", "marked", "report"]
    (line,) = said
    assert line.startswith("note: the copying report could not be made: ")
    assert words in line
    said.clear()
    compose.train(FolderOptions(), {}, TrainOptions(), say=said.append)
    assert said[0].startswith("note: the copying report could not be made: ")


def test_the_report_is_the_last_thing_that_is_said(order, monkeypatch) -> None:
    _verdict(order, monkeypatch, "nothing copied")
    said: list[str] = []
    compose.train(FolderOptions(), {}, TrainOptions(), say=said.append)
    assert (order, said) == (["trained", "report"], ["nothing copied"])
    _verdict(order, monkeypatch, None)
    compose.train(FolderOptions(), {}, TrainOptions(), say=said.append)
    assert said == ["nothing copied"], "and nothing where there is nothing to say"


def test_being_stopped_while_it_is_made_is_no_note(order, monkeypatch) -> None:
    _verdict(order, monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        compose.train(FolderOptions(), {}, TrainOptions(), say=lambda line: None)


@pytest.mark.parametrize("blend", [False, True])
def test_a_prompt_that_was_named_is_read_before_anything_is_trained(order, tmp_path: Path, blend: bool) -> None:
    silent = write(tmp_path / "silent.wav", np.zeros((44100, 1)))
    text = tmp_path / "text.wav"
    text.write_text("la la la")
    good = write(tmp_path / "good.wav", tune(3))
    for path, error in ((silent, RecordingError), (text, RecordingError), (tmp_path, OptionError), ("no", OptionError)):
        named = {"blend": [good, Path(path)]} if blend else {"prompts": [good, Path(path)]}
        with pytest.raises(error, match=Path(path).name):
            compose.compose(FolderOptions(), {}, TrainOptions(), GenerateOptions(), **named)
    assert order == []


def test_the_command_refuses_a_silent_prompt_before_it_prepares(tmp_path: Path) -> None:
    write(tmp_path / "input_music_dataset" / "a.wav", tune(4))
    write(tmp_path / "silent.wav", np.zeros((44100, 1)))
    assert_refused(music_composer(*TINY, "--prompt", "silent.wav", cwd=tmp_path), "silent.wav")
    assert not (tmp_path / "train_data").exists()
