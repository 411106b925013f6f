"""The engine of a cluster where there is none, where it is not asked for, and what it does before a job runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from music_composer.cluster import ray_engine, ray_session
from music_composer.errors import ClusterError
from tests.command import assert_accepted, assert_refused, music_composer, run_python, tune, write

pytestmark = pytest.mark.journey


def test_addresses_and_workers_that_make_no_sense_are_usage(tmp_path: Path) -> None:
    for words, line in (
        (("--cluster", "nowhere"), "--cluster is 'nowhere'"),
        (("--workers", "2"), "--workers does nothing without --cluster"),
        (("--cluster", "local", "--workers", "0"), "--workers"),
    ):
        assert_refused(music_composer("prepare", *words, cwd=tmp_path), line, code=2)


WITHOUT = """
import sys
sys.modules["ray"] = None  # as where it is not installed
sys.argv = ["music-composer", "prepare", *{words}]
from music_composer.__main__ import main
main()
"""


def test_without_ray_everything_else_works_and_the_option_says_what_to_install(tmp_path: Path) -> None:
    write(tmp_path / "input_music_dataset" / "a.wav", tune(8))
    refused = run_python(WITHOUT.format(words=["--cluster", "local"]), cwd=tmp_path)
    assert_refused(refused, "Ray, which is not installed", "pip install 'music-composer[cluster]'", code=2)
    assert_accepted(run_python(WITHOUT.format(words=[]), cwd=tmp_path), "1 recordings")


def test_jobs_of_one_machine_share_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"TF_FORCE_GPU_ALLOW_GROWTH": "", "HOME": "/"})
    (found,), _ = ray_engine._attempt(".", dict, [1], os.environ)
    assert found == {"TF_FORCE_GPU_ALLOW_GROWTH": "", "XLA_PYTHON_CLIENT_PREALLOCATE": "false", "HOME": "/"}


def test_without_the_option_nothing_listens(tmp_path: Path) -> None:
    """Nor is the engine imported."""
    write(tmp_path / "input_music_dataset" / "a.wav", tune(8))
    code = """
import socket, sys
socket.socket.listen = None
from music_composer.__main__ import main
sys.argv = ["music-composer", "prepare"]
main()
assert "ray" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_where_nothing_answers_is_said_at_once(secured: None, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        write(tmp_path / "input_music_dataset" / "a.wav", tune(4))
        refused = music_composer("prepare", "--cluster", address, cwd=tmp_path)
    assert_refused(refused, f"nothing answers at {address}", "head of the cluster")


def test_a_machine_that_does_not_see_the_folder_is_named(
    secured: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three machines one has another file system, and one has gone."""
    import ray.exceptions

    class Machines:
        exceptions = ray.exceptions

        def nodes(self) -> list[dict[str, Any]]:
            names = ("head", "blind", "gone")
            return [{"NodeID": f"{i:056x}", "NodeManagerHostname": name, "Alive": True} for i, name in enumerate(names)]

        def remote(self, **_: Any) -> Any:
            return lambda read: SimpleNamespace(options=lambda scheduling_strategy: self.on(scheduling_strategy, read))

        def on(self, strategy: Any, read: Any) -> Any:
            return SimpleNamespace(remote=lambda path: (int(strategy.node_id, 16), read, path))

        def get(self, reference: Any, timeout: float) -> str:
            number, read, path = reference
            if number == 2:
                raise ray.exceptions.RayError
            return "" if number == 1 else read(path)

    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClusterError, match=r"^blind of the cluster cannot see .*one shared filesystem"):
        ray_session._require_one_filesystem(Machines())
    assert not list(tmp_path.iterdir())


def test_what_jobs_share_is_sent_once() -> None:
    sent: list[Any] = []

    class Store:
        def put(self, value: Any) -> str:
            sent.append(value)
            return f"reference {len(sent)}"

    shared, common, other = ray_engine._Shared(Store()), [1, 2], {"more": 3}
    found = [shared.references((each, common, "words", other if each > 2 else {"once": each})) for each in range(5)]
    assert [job[0] for job in found] == [0, 1, 2, 3, 4]
    assert [job[1] for job in found] == [common, *["reference 1"] * 4]
    assert [job[2] for job in found] == ["words"] * 5
    assert [job[3] for job in found] == [{"once": 0}, {"once": 1}, {"once": 2}, other, "reference 2"]
    assert sent == [common, other]
