"""Several processes train one network: as one process does, to rounding."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from music_composer.training.ranks import Alone, TensorFlowRanks
from tests.gpus import GPUS, of_its_own
from tests.training.trained_by_ranks import UPDATES


def free_addresses(count: int) -> list[str]:
    """Addresses of this machine on which nobody listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return found


def trained(folder: Path, count: int, variables: Callable[[int], dict[str, str]]) -> list[dict[str, np.ndarray]]:
    """What `count` processes write that train together. variables: of the environment of each."""
    addresses = free_addresses(count) if count > 1 else []
    files = [folder / f"{count}-{rank}.npz" for rank in range(count)]
    command = [sys.executable, "-m", "tests.training.trained_by_ranks"]
    running = [
        subprocess.Popen([*command, str(rank), str(file), *addresses], env=os.environ | variables(rank))
        for rank, file in enumerate(files)
    ]
    assert [process.wait(timeout=200) for process in running] == [0] * count
    return [dict(np.load(file)) for file in files]


@pytest.mark.journey
def test_two_ranks_train_as_one_process_does(tmp_path: Path) -> None:
    """With dropout, averaged weights and carried state, one with more rows than the other, and stopped on the way."""

    def variables(rank: int) -> dict[str, str]:
        return {"CUDA_VISIBLE_DEVICES": ""}  # two processes would take all memory of a GPU

    assert_trained_alike(*trained(tmp_path, 1, variables), *trained(tmp_path, 2, variables))


@pytest.mark.journey
@pytest.mark.skipif(not GPUS, reason="there is no GPU")
def test_two_ranks_on_gpus_do_too_and_sum_by_nccl(tmp_path: Path) -> None:
    def variables(rank: int) -> dict[str, str]:
        report = {"NCCL_DEBUG": "INFO", "NCCL_DEBUG_FILE": str(tmp_path / f"nccl-{rank}")}
        return of_its_own(rank) | report | {"NVIDIA_TF32_OVERRIDE": "0"}  # 32 bits, as on processors

    assert_trained_alike(*trained(tmp_path, 1, variables), *trained(tmp_path, 2, variables))
    for rank in range(2):
        assert f"rank {rank} nranks 2" in (tmp_path / f"nccl-{rank}").read_text()


def assert_trained_alike(
    alone: dict[str, np.ndarray], one: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> None:
    assert len(alone["losses"]) == UPDATES
    np.testing.assert_allclose(one["losses"], alone["losses"], rtol=1e-6)
    np.testing.assert_allclose(one["held_out"], alone["held_out"], rtol=1e-6)
    for name in alone:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        np.testing.assert_allclose(one[name], alone[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("batch", "count"), [(5, 2), (10, 3), (4, 4), (32, 5)])
def test_every_row_of_a_batch_has_one_rank(batch: int, count: int) -> None:
    rows = [ranks(rank, count, batch).rows for rank in range(count)]
    assert [row for each in rows for row in range(each.start, each.stop)] == list(range(batch))
    assert sum(each.share for each in rows) == pytest.approx(1)
    assert all(each.share > 0 for each in rows)


def test_a_rank_takes_its_part_of_a_carried_state_of_the_same_batch() -> None:
    state = [np.arange(20.0).reshape(10, 2)]
    parts = [ranks(rank, 3, 10).part(state)[0] for rank in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts), state[0])
    assert ranks(1, 2, 5).part(state) == []
    assert Alone().part(state)[0] is state[0]


def ranks(rank: int, count: int, batch: int) -> TensorFlowRanks:
    return TensorFlowRanks(rank, count, batch, lambda: False, threading.Event())
