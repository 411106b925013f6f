"""Training on the ranks of a cluster of two nodes, which is stopped, and loses one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cluster.conftest import NODE, workers
from tests.command import Started, assert_accepted, music_composer, tune, write
from tests.gpus import GPUS, of_its_own

pytestmark = pytest.mark.journey

RANK = b"ray::_Rank.run"
TRAIN = ("train", "--head", "regression", "-n", "8", "-l", "1", "-b", "3", "-e", "12", "--seed", "1")


def test_a_training_that_is_stopped_and_then_loses_a_rank_ends_as_one_that_went_undisturbed(
    cluster: Any, tmp_path: Path
) -> None:
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
    on_two = (*TRAIN, "--cluster", cluster.address)
    assert_accepted(music_composer(*on_two, "-m", "undisturbed", cwd=tmp_path), "2 processes of the cluster")
    folder = tmp_path / "disturbed"
    with Started(*on_two, "-m", folder.name, cwd=tmp_path) as process:
        wait_for(lambda: (folder / "checkpoint.npz").exists())  # the first epoch has ended
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert b"all saved: the same command goes on from there" in errors
    with Started(*on_two, "-m", folder.name, cwd=tmp_path) as process:
        wait_for(lambda: workers(RANK))
        begun = (folder / "history.csv").read_bytes()
        wait_for(lambda: (folder / "history.csv").read_bytes() != begun)
        os.kill(workers(RANK)[-1], signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "going on from update" in errors.decode()
    one, other = (np.load(tmp_path / name / "checkpoint.npz") for name in ("undisturbed", folder.name))
    assert sorted(one) == sorted(other)
    for name in set(one) - {"state"}:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    histories = [
        [row.split(",")[:4] for row in (tmp_path / name / "history.csv").read_text().splitlines()]
        for name in ("undisturbed", folder.name)
    ]
    assert histories[0] == histories[1]
    assert len(histories[0]) == 13


@pytest.mark.skipif(not GPUS, reason="there is no GPU")
def test_a_training_on_two_gpus_goes_on_without_one_of_its_ranks(secured: None, tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    report = {"NCCL_DEBUG": "INFO", "NCCL_DEBUG_FILE": str(tmp_path / "nccl-%p")}
    kind = NODE | {"num_cpus": 2, "num_gpus": 1}
    nodes = Cluster(initialize_head=True, head_node_args=kind | {"env_vars": of_its_own(0) | report})
    try:
        nodes.add_node(**kind | {"env_vars": of_its_own(1) | report})
        nodes.wait_for_nodes()
        for i in range(2):
            write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
        with Started(*TRAIN, "--cluster", nodes.address, "-m", "model", cwd=tmp_path) as process:
            wait_for(lambda: (tmp_path / "model" / "checkpoint.npz").exists())  # the first epoch has ended
            os.kill(workers(RANK)[-1], signal.SIGKILL)
            _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert "2 processes of the cluster" in errors.decode()
        assert "going on from update" in errors.decode()
        assert len((tmp_path / "model" / "history.csv").read_text().splitlines()) == 13
        connected = [path for path in tmp_path.glob("nccl-*") if "nranks 2" in path.read_text()]
        assert len(connected) == 4, "two ranks, twice"
        done = music_composer("generate", "-m", "model", "-g", "2", "-s", "1", "--cluster", nodes.address, cwd=tmp_path)
        assert_accepted(done)
    finally:
        nodes.shutdown()


def wait_for(happened: Callable[[], Any]) -> None:
    until = time.monotonic() + 100
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)
