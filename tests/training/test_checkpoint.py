"""Checkpoints and their state: notes beside the weights, damage, and sizes that a header may not claim."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from music_composer.errors import RunFolderError
from music_composer.training.checkpoint import TrainState, load_checkpoint, mark_generated, read_state, save_checkpoint
from music_composer.training.options import TrainOptions
from tests.training.numbers_model import Numbers
from tests.training.small_run import train

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("without_keras")]


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
