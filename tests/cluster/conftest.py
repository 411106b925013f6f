"""A cluster of two nodes on this machine, with a token of its own, for all tests of a module."""

from __future__ import annotations

import importlib.util
import os
import secrets
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from music_composer.cluster.ray_session import QUIET

# Without the processes of the autoscaler and of the log, and on processors even where there is a GPU.
NODE = {
    "num_cpus": 1,
    "include_dashboard": False,
    "include_log_monitor": False,
    "no_monitor": True,
    "env_vars": {"CUDA_VISIBLE_DEVICES": ""},
}


@pytest.fixture(scope="session")
def secured() -> Iterator[None]:
    """A token, and a short folder for sockets, as long as tests that use Ray run."""
    if not importlib.util.find_spec("ray"):
        pytest.skip("Ray is not installed")
    # Set before Ray is imported, which reads them only then.
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder, pytest.MonkeyPatch.context() as patch:
        ours = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_TMPDIR": folder}
        for name, value in (QUIET | ours).items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")  # idle, it still takes a tenth of a machine from other tests
def cluster(secured: None) -> Iterator[Any]:
    """Two nodes of one processor each, `cluster.address` being that of the head."""
    from ray.cluster_utils import Cluster

    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 2}  # until a killed node counts as gone
    nodes = Cluster(initialize_head=True, head_node_args=NODE | {"_system_config": soon})
    nodes.add_node(**NODE)
    nodes.wait_for_nodes()
    yield nodes
    nodes.shutdown()


def workers(name: bytes = b"ray::_attempt") -> list[int]:
    """Processes of this machine that run a job of a cluster now. name: of what they run."""
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                if file.read().startswith(name):
                    found.append(int(number))
        except OSError:  # it has ended
            continue
    return found
