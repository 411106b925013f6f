"""A training that is cut anywhere ends as if it had not been; old weights stay until new ones are safe."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from music_composer.audio.continuation import run_folder
from music_composer.context import Context, Progress
from music_composer.files.locks import locked
from music_composer.stopping import Stopped
from music_composer.training.beginning import (
    SETTLING,
    begin_folder,
    finish_settling,
    place_of,
    settle,
)
from music_composer.training.checkpoint import TrainState, read_state, save_checkpoint
from music_composer.training.weights import load_weights
from tests.cuts import cut_before
from tests.training.numbers_model import Numbers
from tests.training.small_run import content, generates, train

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("without_keras")]


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
