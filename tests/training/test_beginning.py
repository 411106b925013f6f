"""A run folder is begun whole or not at all, and what is not ours is left alone."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from music_composer.audio.continuation import run_folder
from music_composer.errors import RunFolderError
from music_composer.files.locks import locked
from music_composer.training.beginning import (
    NEW,
    SETTLING,
    begin_folder,
    home_of,
    place_of,
    require_ours,
)
from tests.training.small_run import MODEL, generates, train

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("without_keras")]
MAGIC = run_folder.LABEL["magic"]


def test_until_the_first_epoch_has_ended_there_is_no_trained_model(tmp_path: Path) -> None:
    begin_folder(tmp_path, run_folder.LABEL, {}, lambda folder: None)
    assert place_of(tmp_path) == tmp_path / NEW
    assert home_of(tmp_path / NEW) == home_of(tmp_path) == tmp_path
    assert run_folder.exists(tmp_path)
    with pytest.raises(RunFolderError, match="no trained model, whose first epoch has not ended"):
        run_folder.read_run(tmp_path)


def test_what_cannot_be_begun_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise MemoryError

    with pytest.raises(MemoryError), locked(tmp_path / "model"):
        begin_folder(tmp_path / "model", run_folder.LABEL, {}, fail)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["history.csv", "loss.png", "model.weights.h5", "checkpoint.npz", "state.json"])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("the user's")
    for fresh in (False, True):
        with pytest.raises(RunFolderError, match=f"{name} is not ours"):
            train(tmp_path, fresh)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "the user's")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "my web site"}', '{"magic": 3}', "[" * 100_000])
def test_options_that_are_not_ours_are_left_alone_with_fresh_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "options.json").write_text(text)
    (tmp_path / "history.csv").write_text("the user's")
    for fresh in (False, True):
        with pytest.raises(RunFolderError, match=r"options\.json is not ours"):
            train(tmp_path, fresh)
    assert (tmp_path / "options.json").read_text() == text


@pytest.mark.parametrize("name", [".new", ".settling", "prompts"])
def test_links_in_a_run_folder_lead_nowhere(tmp_path: Path, name: str) -> None:
    victim, home = tmp_path / "victim", tmp_path / "home"
    train(home)
    victim.mkdir()
    for mine in ("options.json", "settling.json", "prompt-0.flac"):
        (victim / mine).write_text('{"magic": "music-composer model", "remove": ["loss.png"]}')
    shutil.rmtree(home / name, ignore_errors=True)
    (home / name).symlink_to(victim)
    for fresh in (False, True):
        with pytest.raises(RunFolderError, match=f"{name} is a link"):
            train(home, fresh)
    assert len(list(victim.iterdir())) == 3


def test_only_files_of_a_run_are_moved_into_its_place(tmp_path: Path) -> None:
    train(tmp_path)
    (tmp_path / "notes.txt").write_text("the user's")
    moving = tmp_path / ".settling"
    moving.mkdir()
    for name, text in (("settling.json", '{"remove": ["notes.txt", "../x"]}'), ("notes.txt", "another's")):
        (moving / name).write_text(text)
    with pytest.raises(RunFolderError, match="cannot be written to"):
        train(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "the user's"
    assert (moving / "notes.txt").read_text() == "another's"


def test_a_folder_of_the_other_backend_is_named(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text(json.dumps({"magic": "music-composer symbolic model"}))
    with pytest.raises(RunFolderError, match="is of `music-composer midi`"):
        require_ours(tmp_path, MAGIC)


def test_options_of_ours_that_are_damaged_can_be_replaced_by_fresh_alone(tmp_path: Path) -> None:
    train(tmp_path)
    path = tmp_path / "options.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(RunFolderError, match="damaged"):
        train(tmp_path)
    train(tmp_path, fresh=True, seed=6)
    assert generates(tmp_path) == 6


def test_a_folder_from_before_there_were_windows_is_decoded_without_them(tmp_path: Path) -> None:
    train(tmp_path)
    assert run_folder.read_run(tmp_path).model == MODEL
    path = tmp_path / "options.json"
    plain = json.loads(path.read_text())
    del plain["model"]["reach"]
    path.write_text(json.dumps(plain))
    assert run_folder.read_run(tmp_path).model == dataclasses.replace(MODEL, reach=0)


def test_a_hidden_folder_of_the_users_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NEW).mkdir()
    (tmp_path / NEW / "file").write_text("the user's")
    with pytest.raises(RunFolderError, match="not ours"):
        train(tmp_path)
    (tmp_path / NEW).rename(tmp_path / SETTLING)
    with pytest.raises(RunFolderError, match="cannot be written to"):
        train(tmp_path)
    assert (tmp_path / SETTLING / "file").read_text() == "the user's"
