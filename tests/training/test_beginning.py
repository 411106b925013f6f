"""A run folder is whole at any moment; old weights stay until new ones are safe; what is not ours is left alone."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from music_composer.audio.continuation import run_folder
from music_composer.audio.options import FrameOptions, network_of
from music_composer.context import SILENT, Context, Progress
from music_composer.errors import RunFolderError
from music_composer.files.locks import locked
from music_composer.stopping import Stopped
from music_composer.training.beginning import (
    NEW,
    SETTLING,
    begin_folder,
    finish_settling,
    home_of,
    place_of,
    require_ours,
    settle,
)
from music_composer.training.checkpoint import TrainState, load_checkpoint, mark_generated, read_state, save_checkpoint
from music_composer.training.job import next_job, run_job
from music_composer.training.options import TrainOptions
from music_composer.training.weights import load_weights, save_weights
from tests.cuts import cut_before
from tests.training.numbers_model import Counting, Numbers

pytestmark = pytest.mark.journey

MAGIC = run_folder.LABEL["magic"]
MODEL = network_of({"neurons": 3})
JOB = TrainOptions(epochs=2, seed=5)


@pytest.fixture(autouse=True)
def _without_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "versions", lambda: {"music_composer": "0"})
    monkeypatch.setattr(os, "fsync", lambda file: None)  # hundreds of trainings
    monkeypatch.setattr("music_composer.reports.plots.plot_loss", lambda history, path: path.write_bytes(b"picture"))


def train(
    home: Path, fresh: bool = False, seed: int = 5, options: TrainOptions = JOB, context: Context = SILENT
) -> None:
    """A training as the journeys do it, of a network of a few numbers."""
    with locked(home):
        old = run_folder.going_on(home, fresh)
        here = old or run_folder.Run(home / NEW, FrameOptions(), MODEL, 1)
        state = next_job(read_state(here.checkpoint) if old else None, options, "music", True, lambda line: None)
        if state.job_done:
            return
        state.seed = seed if not old else state.seed
        model = Numbers(state.seed)
        if old:
            load_checkpoint(here.checkpoint, model)
        else:

            def fill(folder: Path) -> None:
                (folder / "prompts").mkdir()
                (folder / "prompts" / "prompt-0.flac").write_text(f"prompt of {seed}")
                save_checkpoint(folder / "checkpoint.npz", model, state)

            run_folder.begin(here, fill)
        run_job(model, Counting(), here, options, state, context)


def content(home: Path) -> dict[str, Any]:
    """What a run folder holds, without the time that it took."""
    state = read_state(home / "checkpoint.npz")
    assert state
    model = Numbers(0)
    load_checkpoint(home / "checkpoint.npz", model)
    best = Numbers(0)
    load_weights(best, home / "model.weights.h5")
    return {
        "weights": [weight.tolist() for weight in model.get_weights()],
        "best": [weight.tolist() for weight in best.get_weights()],
        "optimizer": [np.asarray(variable.value).tolist() for variable in model.optimizer.variables],
        "state": (state.seed, state.epoch, state.step, state.job_first, state.best_loss),
        "history": [row["loss"] for row in csv.DictReader((home / "history.csv").open())],
        "prompt": (home / "prompts" / "prompt-0.flac").read_text(),
        "options": json.loads((home / "options.json").read_text()),
        "names": sorted(
            path.relative_to(home).as_posix() for path in home.rglob("*") if ".part" not in str(path.relative_to(home))
        ),
    }


@pytest.mark.parametrize("step", range(1, 7))
def test_a_training_that_a_thread_cancels_goes_on_as_if_it_had_not_been(tmp_path: Path, step: int) -> None:
    """The training is in a thread of its own too, where there is no Ctrl-C."""
    train(tmp_path / "whole")
    stop, steps = threading.Event(), list[float]()

    def heed(event: Progress) -> None:
        if event.done == step and event.unit == "steps" and not stop.is_set():
            other = threading.Thread(target=stop.set)
            other.start()
            other.join()
        steps.append(event.done)

    context = Context(progress=heed, cancelled=stop.is_set)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Stopped, match="all saved: the same command goes on from there"):
        pool.submit(train, tmp_path / "home", context=context).result()
    state = read_state(place_of(tmp_path / "home") / "checkpoint.npz")
    assert state
    assert step <= state.step <= step + 1, "it ends soon, and nothing is lost"
    train(tmp_path / "home")
    assert content(tmp_path / "home") == content(tmp_path / "whole")


def generates(home: Path) -> int | None:
    """The seed of the model that `generate` plays with; None where there is none, and it is said."""
    try:
        run_folder.read_run(home)
    except RunFolderError as error:
        assert "holds no trained model" in str(error)  # noqa: PT017
        return None
    model = Numbers(0)
    load_weights(model, home / "model.weights.h5")
    return int(model.get_weights()[0][0])


def test_a_training_that_was_cut_anywhere_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    train(tmp_path / "whole")
    whole, number, settled = content(tmp_path / "whole"), 0, 0
    while True:
        home = tmp_path / f"cut-{number}"
        cut = cut_before(number, lambda home=home: train(home))
        for path in home.rglob("*.h5"):
            if not path.name.startswith("."):
                load_weights(Numbers(0), path)
        if (home / SETTLING).exists():  # where nobody reads before the training goes on
            settled += 1
            copy = Path(shutil.copytree(home, tmp_path / f"copy-{number}"))
            train(copy)
            assert content(copy) == whole, f"cut before change {number}"
        assert generates(home) in (None, 5)
        train(home)
        assert content(home) == whole, f"cut before change {number}"
        if not cut:
            break
        number += 1
    assert number > 40
    assert settled > 5


def test_fresh_keeps_the_old_weights_until_new_ones_are_safe(tmp_path: Path) -> None:
    train(tmp_path / "whole", seed=6)
    whole, number, old = content(tmp_path / "whole"), 0, 0
    while True:
        home = tmp_path / f"cut-{number}"
        train(home)
        (home / "prompts" / "prompt-7.flac").write_text("an old prompt")
        (home / "prompts" / "mine.flac").write_text("put there by the user")
        cut = cut_before(number, lambda home=home: train(home, fresh=True, seed=6))
        seed = generates(home)
        assert seed in (5, 6), f"cut before change {number}: a model is there at any moment"
        old += seed == 5
        train(home)
        if seed == 6 or (home / "prompts" / "prompt-0.flac").read_text() == "prompt of 6":
            found = content(home)
            assert "prompts/mine.flac" in found["names"]
            found["names"].remove("prompts/mine.flac")
            assert found == whole, f"cut before change {number}"
        if not cut:
            break
        number += 1
    assert old > 20
    assert number > 50


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


def test_who_reads_finishes_what_was_cut_off(tmp_path: Path) -> None:
    train(tmp_path)
    begun = begin_folder(tmp_path, run_folder.LABEL, {"other": 1}, lambda folder: None)
    (begun / "model.weights.h5").write_text("new weights")
    save_checkpoint(begun / "checkpoint.npz", Numbers(6), TrainState(6, epoch=1))
    assert cut_before(8, lambda: settle(tmp_path))
    assert (tmp_path / SETTLING).exists()
    with locked(tmp_path / "other"):
        finish_settling(tmp_path)
    assert json.loads((tmp_path / "options.json").read_text())["other"] == 1
    assert (tmp_path / "model.weights.h5").read_text() == "new weights"
    assert not (tmp_path / "history.csv").exists(), "of the old run"


def test_music_that_is_written_is_noted_beside_the_weights(tmp_path: Path) -> None:
    train(tmp_path)
    before = (tmp_path / "checkpoint.npz").stat()
    state = read_state(tmp_path / "checkpoint.npz")
    assert state
    assert state.job_owes_music
    mark_generated(tmp_path / "checkpoint.npz")
    state = read_state(tmp_path / "checkpoint.npz")
    assert state
    assert not state.job_owes_music
    assert (tmp_path / "checkpoint.npz").stat().st_mtime_ns == before.st_mtime_ns
    train(tmp_path, options=TrainOptions(epochs=2))
    state = read_state(tmp_path / "checkpoint.npz")
    assert state
    assert state.job_owes_music, "the next job's is not"
    for text in ("", "[]", '{"music_written": 3}', "[" * 100_000):
        (tmp_path / "state.json").write_text(text)
        state = read_state(tmp_path / "checkpoint.npz")
        assert state
        assert state.job_owes_music


def test_damaged_weights_are_our_error(tmp_path: Path) -> None:
    path, rng = tmp_path / "model.weights.h5", np.random.default_rng(1)
    save_weights(Numbers(5), path)
    good = path.read_bytes()
    load_weights(Numbers(0), path)
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            bad[rng.integers(len(bad))] ^= 1 << rng.integers(8)
        path.write_bytes(bytes(bad) if rng.integers(2) else bytes(bad[: rng.integers(len(bad))]))
        try:
            load_weights(Numbers(0), path)
        except RunFolderError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_weights_without_a_checksum_are_of_an_older_version_and_load(tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    Numbers(5).save_weights(path)
    model = Numbers(0)
    load_weights(model, path)
    assert model.get_weights()[0][0] == 5
    good = path.read_bytes()
    for at in (24, 32, 40, 48):  # HDF5 takes gigabytes where these say something else
        path.write_bytes(good[:at] + b"\x01" + good[at + 1 :])
        with pytest.raises(RunFolderError, match="it does not begin as its length wants"):
            load_weights(model, path)


EPOCH = {"epoch": 1, "loss": 0.5, "held_out_loss": "", "learning_rate": "2e-3", "seconds": 1.5}


def test_damaged_checkpoints_are_our_error(tmp_path: Path) -> None:
    path, rng = tmp_path / "checkpoint.npz", np.random.default_rng(2)
    save_checkpoint(path, Numbers(5), TrainState(5, history=[EPOCH]))
    good = path.read_bytes()
    for _ in range(1000):
        bad = bytearray(good)
        for _ in range(rng.integers(1, 6)):
            bad[rng.integers(len(bad))] = rng.integers(256)
        path.write_bytes(bytes(bad) if rng.integers(2) else bytes(bad[: rng.integers(len(bad))]))
        for read in (read_state, lambda path: load_checkpoint(path, Numbers(0))):
            try:
                read(path)
            except RunFolderError as error:
                assert "checkpoint.npz is damaged" in str(error)  # noqa: PT017


STATES = [
    {"seed": "1"},
    {"seed": 10**30},
    {"seed": 1, "epoch": -1},
    {"seed": 1, "epoch": 1.5},
    {"seed": 1, "wings": 2},
    {"seed": 1, "history": [3]},
    {"seed": 1, "history": [{"a": 1}, {"b": 2}]},
    {"seed": 1, "history": [EPOCH | {"loss": "much"}]},
    {"seed": 1, "history": [EPOCH | {"seconds": None}]},
    {"seed": 1, "history": [EPOCH | {"held_out_loss": float("nan")}]},
    {"seed": 1, "history": [EPOCH, EPOCH | {"more": 1}]},
    {"seed": 1, "best_loss": "nan"},
    {"seed": 1, "best_loss": []},
    {"seed": 1, "job_owes_music": "yes"},
    [],
    3,
]


@pytest.mark.parametrize("plain", STATES)
def test_a_state_of_other_types_is_our_error(tmp_path: Path, plain: Any) -> None:
    plain = {"best_loss": "inf"} | plain if isinstance(plain, dict) else plain
    np.savez(tmp_path / "c.npz", state=np.array(json.dumps(plain)))
    with pytest.raises(RunFolderError, match="damaged"):
        read_state(tmp_path / "c.npz")


def test_no_more_is_read_than_the_network_has(tmp_path: Path) -> None:
    """A few kilobytes that unpack to gigabytes are refused by their header."""
    path = tmp_path / "c.npz"
    arrays = {f"weight_{i}": np.zeros(2**23, np.uint8) for i in range(2)}
    np.savez_compressed(path, state=np.array("{}"), **arrays)
    with pytest.raises(RunFolderError, match="has the shape"):
        load_checkpoint(path, Numbers(0))
    np.savez_compressed(path, state=np.zeros((), "U30000000"))
    with pytest.raises(RunFolderError, match="is no text"):
        read_state(path)
