"""Training on the ranks of a cluster of two nodes, one of which is killed on the way."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cluster.conftest import workers
from tests.command import Started, assert_accepted, music_composer, tune, write

pytestmark = pytest.mark.journey

TRAIN = ("train", "--head", "flow", "-n", "8", "-l", "1", "-b", "3", "-e", "12", "--seed", "1")


def test_a_training_whose_rank_is_killed_ends_with_the_weights_of_one_that_went_undisturbed(
    cluster: Any, tmp_path: Path
) -> None:
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
    on_two = (*TRAIN, "--cluster", cluster.address)
    assert_accepted(music_composer(*on_two, "-m", "undisturbed", cwd=tmp_path), "2 processes of the cluster")
    with Started(*on_two, "-m", "killed", cwd=tmp_path) as process:
        until = time.monotonic() + 100
        while not (tmp_path / "killed" / "checkpoint.npz").exists() and time.monotonic() < until:
            time.sleep(0.02)  # the first epoch has not ended
        os.kill(workers(b"ray::_Rank.run")[-1], signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "going on from update" in errors.decode()
    one, other = (np.load(tmp_path / name / "checkpoint.npz") for name in ("undisturbed", "killed"))
    assert sorted(one) == sorted(other)
    for name in set(one) - {"state"}:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    histories = [
        [row.split(",")[:4] for row in (tmp_path / name / "history.csv").read_text().splitlines()]
        for name in ("undisturbed", "killed")
    ]
    assert histories[0] == histories[1]
    assert len(histories[0]) == 13
