"""What is trained and written stays, whatever becomes of the report after it; and what is refused before any of it."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.options import EvaluateOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.context import Context
from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError, OutputError, RecordingError, RunFolderError, ScoreError
from music_composer.files import destinations
from music_composer.pipelines.audio import compose, copy_check, evaluate
from music_composer.pipelines.audio import generate as play_audio
from music_composer.pipelines.audio.requests import ComposeRequest, EvaluateRequest, TrainRequest
from music_composer.pipelines.symbolic import compose as compose_midi
from music_composer.pipelines.symbolic import observe
from music_composer.pipelines.symbolic import requests as notes
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.notation import score_file
from music_composer.symbolic.options import BiaxialOptions, BoundOptions, PlayOptions
from music_composer.training.weights import load_weights
from tests.command import TINY, assert_refused, music_composer, tune, write

pytestmark = pytest.mark.journey


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What happens when; nothing is trained or written."""
    happened: list[str] = []
    run = types.SimpleNamespace(checkpoint=Path("checkpoint.npz"))

    def trained(*_: object) -> tuple[object, None]:
        happened.append("trained")
        return run, None

    def generate(*_: object, **__: object) -> list[Path]:
        happened.append("written")
        return [Path("output-0.wav")]

    monkeypatch.setattr(compose, "_trained", trained)
    monkeypatch.setattr(play_audio, "generate", generate)
    monkeypatch.chdir(tmp_path)
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

    monkeypatch.setattr(copy_check, "verdict", verdict)


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
    paths = compose.compose(ComposeRequest(), Context(said.append))
    assert paths == [Path("output-0.wav")]
    assert order == ["trained", "written", "marked", "report"]
    (line,) = said
    assert line.startswith("note: the copying report could not be made: ")
    assert words in line
    said.clear()
    compose.train(TrainRequest(), Context(said.append))
    assert said[0].startswith("note: the copying report could not be made: ")


def test_the_report_is_the_last_thing_that_is_said(order, monkeypatch) -> None:
    _verdict(order, monkeypatch, "nothing copied")
    said: list[str] = []
    compose.train(TrainRequest(), Context(said.append))
    assert (order, said) == (["trained", "report"], ["nothing copied"])
    _verdict(order, monkeypatch, None)
    compose.train(TrainRequest(), Context(said.append))
    assert said == ["nothing copied"], "and nothing where there is nothing to say"


def test_being_stopped_while_it_is_made_is_no_note(order, monkeypatch) -> None:
    _verdict(order, monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        compose.train(TrainRequest())


@pytest.mark.parametrize("blend", [False, True])
def test_a_prompt_that_was_named_is_read_before_anything_is_trained(order, tmp_path: Path, blend: bool) -> None:
    silent = write(tmp_path / "silent.wav", np.zeros((44100, 1)))
    text = tmp_path / "text.wav"
    text.write_text("la la la")
    good = write(tmp_path / "good.wav", tune(3))
    for path, error in ((silent, RecordingError), (text, RecordingError), (tmp_path, OptionError), ("no", OptionError)):
        named = {"blend": (good, Path(path))} if blend else {"prompts": (good, Path(path))}
        with pytest.raises(error, match=Path(path).name):
            compose.compose(ComposeRequest(**named))
    assert order == []


def test_the_command_refuses_a_silent_prompt_before_it_prepares(tmp_path: Path) -> None:
    write(tmp_path / "input_music_dataset" / "a.wav", tune(4))
    write(tmp_path / "silent.wav", np.zeros((44100, 1)))
    assert_refused(music_composer(*TINY, "--prompt", "silent.wav", cwd=tmp_path), "silent.wav")
    assert not (tmp_path / "train_data").exists()


def test_music_that_the_disk_has_no_room_for_is_refused_before_anything(order, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(destinations.shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=10**9))
    for seconds, fits in ((3600.0, True), (36_000.0, False)):
        options = GenerateOptions(seconds=seconds, count=2, name=str(tmp_path / "new" / "x"))
        if fits:
            assert len(play_audio.require_outputs(options)) == 2
            continue
        with pytest.raises(OutputError, match="-g 2 -s 36000 are 6.4 GB at least, and 1.0 GB are free"):
            compose.compose(ComposeRequest(sampling=options))
    assert order == []


@pytest.mark.parametrize(
    ("asked", "windows", "taken"), [(10, 1, 10), (32, 1, 32), (33, 1, 32), (400, 100, 400), (401, 100, 400)]
)
def test_a_batch_is_not_the_same_music_over_and_over(asked: int, windows: int, taken: int) -> None:
    said: list[str] = []
    dataset = types.SimpleNamespace(windows_in_epoch=windows)
    assert compose._batch_size(dataset, asked, Context(said.append)) == taken
    assert bool(said) == (taken < asked)


@pytest.mark.parametrize(
    ("playing", "bounds", "error", "words"),
    [
        ({}, {"scale": "H dur"}, OptionError, "--scale"),
        ({"metre": "7"}, {}, OptionError, "--metre"),
        ({"primer_melody": "la la"}, {}, OptionError, "--primer-melody"),
        ({}, {}, ScoreError, "primer.mid"),
    ],
)
def test_what_is_asked_of_notes_is_read_before_they_are_learnt(
    tmp_path: Path, monkeypatch, playing, bounds, error, words
) -> None:
    monkeypatch.setattr(compose_midi, "_train", lambda *_: pytest.fail("trained"))
    primer = None if playing or bounds else tmp_path / "primer.mid"
    options = PlayOptions(name=str(tmp_path / "x"), **playing)
    with pytest.raises(error, match=words):
        compose_midi.compose(
            notes.ComposeRequest(
                FolderOptions(model=tmp_path), playing=options, bounds=BoundOptions(**bounds), primer=primer
            )
        )


def test_musicxml_that_cannot_be_written_is_refused_before_training(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(compose_midi, "_train", lambda *_: pytest.fail("trained"))
    monkeypatch.setattr(score_file.importlib.util, "find_spec", lambda name: None)
    options = PlayOptions(name=str(tmp_path / "x"), musicxml=True)
    with pytest.raises(OptionError, match="--musicxml needs music21"):
        compose_midi.compose(notes.ComposeRequest(FolderOptions(model=tmp_path), playing=options))


@pytest.mark.parametrize(("backend", "words"), [("jax", "pip install jax"), ("thearno", "not one of tensorflow")])
def test_a_backend_that_is_not_there_is_refused_before_any_work(tmp_path: Path, monkeypatch, backend, words) -> None:
    if importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is installed here")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(OptionError, match=words):
        compose.train(TrainRequest(FolderOptions(tmp_path / "a", tmp_path / "b", tmp_path / "c")))
    with pytest.raises(OptionError, match=words):
        compose_midi.train(notes.TrainRequest(FolderOptions(tmp_path / "a", tmp_path / "b", tmp_path / "c")))
    assert not (tmp_path / "a").exists()


def test_who_learns_notes_is_told_the_command_for_notes(tmp_path: Path) -> None:
    for command in (Run.command, SymbolicRun.command):
        with pytest.raises(RunFolderError, match=f"run `{command} train` to the end of an epoch first"):
            load_weights(None, tmp_path / "model.weights.h5", command)
    assert (Run.command, SymbolicRun.command) == ("music-composer", "music-composer midi")


@pytest.mark.parametrize(
    "name", ["scorecard.html", "scorecard.json", "minutes.png", "most-copied.png", "prompts/prompt-00.flac"]
)
def test_a_file_of_the_users_in_the_place_of_a_card_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    path = tmp_path / "card" / name
    path.parent.mkdir(parents=True)
    path.write_text("the user's")
    with pytest.raises(OutputError, match=path.name):
        evaluate.evaluate(EvaluateRequest(FolderOptions(model=tmp_path / "none"), EvaluateOptions(tmp_path / "card")))
    assert path.read_text() == "the user's"


@pytest.mark.parametrize("name", ["index.html", "notes.png", "layer-1.png", "thoughts.json"])
def test_a_file_of_the_users_in_the_place_of_activations_is_refused_before_any_work(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SymbolicRun(tmp_path, "biaxial", BiaxialOptions(), 4, 0.1, 120.0, (4, 4))
    monkeypatch.setattr(observe.symbolic_run, "read_run", lambda folder: run)
    (tmp_path / name).write_text("the user's")
    with pytest.raises(OutputError, match=name):
        observe.observe_file(tmp_path, tmp_path / "none.mid", tmp_path)
    assert (tmp_path / name).read_text() == "the user's"
