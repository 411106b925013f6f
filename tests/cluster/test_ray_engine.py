"""Jobs on a cluster of two nodes: the same files as on one machine, whatever ends on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import NODE, workers
from tests.command import Started, assert_accepted, assert_refused, music_composer, run_python, tune, write
from tests.symbolic.tunes import write_tune

pytestmark = pytest.mark.journey

SMALL = {f"music_composer.audio.dataset.units.{name}": 1 for name in ("UNIT_BYTES", "UNIT_FILES")}  # a file a unit


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings, one of them no music, and their cache, made without a cluster."""
    folder = tmp_path_factory.mktemp("recordings")
    for i in range(6):
        write(folder / "input_music_dataset" / f"{i}.wav", tune(25, seed=i))
    (folder / "input_music_dataset" / "text.wav").write_text("Dear diary")
    assert_accepted(music_composer("prepare", cwd=folder), "6 recordings", "text.wav")
    return folder


def begun(process: Started) -> int:
    """Waits until a job of a command runs, and returns the number of its process."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if found := workers():
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no job has begun")


def idle() -> None:
    """Waits until no job runs that an earlier command has left."""
    until = time.monotonic() + 60
    while workers() and time.monotonic() < until:
        time.sleep(0.05)
    assert not workers()


def files_of(folder: Path) -> dict[str, bytes]:
    """Those that are finished: what a killed process had begun goes when the next one writes there."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}


def content_of(path: Path) -> Any:
    """Of a JSON without the versions of libraries, of which a process may have loaded more than it needs."""
    return json.loads(path.read_text()) | {"versions": None} if path.suffix == ".json" else path.read_bytes()


def laid_out(recordings: Path, folder: Path) -> Path:
    """The same recordings without a cache; times are those of the first."""
    shutil.copytree(recordings / "input_music_dataset", folder / "input_music_dataset", copy_function=shutil.copy2)
    return folder


def assert_prepared_as(recordings: Path, folder: Path) -> None:
    assert files_of(folder / "train_data") == files_of(recordings / "train_data")


def test_a_cluster_prepares_the_same_bytes(cluster: Any, recordings: Path, tmp_path: Path) -> None:
    here = laid_out(recordings, tmp_path)
    done = music_composer("prepare", "--cluster", cluster.address, cwd=here)
    assert_accepted(done, "6 recordings", "text.wav", "6 prepared")
    assert_prepared_as(recordings, here)
    again = music_composer("prepare", "--cluster", cluster.address, "--workers", "1", cwd=here)
    assert_accepted(again, "0 prepared, 6 already there")
    shutil.rmtree(here / "train_data")
    assert_accepted(music_composer("prepare", "--cluster", cluster.address, "--workers", "1", cwd=here), "6 prepared")
    assert_prepared_as(recordings, here)


def test_an_engine_of_its_own_does_too_and_ends_with_the_command(
    secured: None, recordings: Path, tmp_path: Path
) -> None:
    here = laid_out(recordings, tmp_path)
    before = listening()
    assert_accepted(music_composer("prepare", "--cluster", "local", "--workers", "2", cwd=here), "6 prepared")
    assert_prepared_as(recordings, here)
    until = time.monotonic() + 20
    while listening() - before and time.monotonic() < until:
        time.sleep(0.2)
    assert not listening() - before


def test_what_a_killed_worker_was_at_is_done_again(cluster: Any, recordings: Path, tmp_path: Path) -> None:
    here = laid_out(recordings, tmp_path)
    wanted = ("prepare", "--cluster", cluster.address)
    idle()
    with Started(*wanted, cwd=here, constants=SMALL) as process:
        os.kill(begun(process), signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert_prepared_as(recordings, here)


def test_what_a_killed_node_was_at_is_done_elsewhere(cluster: Any, recordings: Path, tmp_path: Path) -> None:
    here = laid_out(recordings, tmp_path)
    third = cluster.add_node(**NODE)
    cluster.wait_for_nodes()
    idle()
    with Started("prepare", "--cluster", cluster.address, cwd=here, constants=SMALL) as process:
        begun(process)
        cluster.remove_node(third, allow_graceful=False)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert_prepared_as(recordings, here)


def test_a_job_that_ends_every_worker_is_given_up(cluster: Any, tmp_path: Path) -> None:
    code = f"""
from music_composer import parallel
from music_composer.cluster.options import ClusterOptions
from music_composer.cluster.ray_engine import Ray
jobs = [("1 + 1",), ("__import__('os')._exit(3)",), ("2 + 2",)]
print(*parallel.map(eval, jobs, Ray(ClusterOptions({cluster.address!r})), caught=(Exception,)), sep="; ")
"""
    done = run_python(code, cwd=tmp_path)
    assert_accepted(done)
    assert (done.stdout.strip(), done.stderr) == (
        "2; 4 worker processes, one after the other, ended while they were at it; 4",
        "",
    )


def test_ctrl_c_ends_the_jobs_that_run_and_the_same_command_goes_on(
    cluster: Any, recordings: Path, tmp_path: Path
) -> None:
    here = laid_out(recordings, tmp_path)
    idle()
    with Started("prepare", "--cluster", cluster.address, cwd=here, constants=SMALL) as process:
        begun(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    idle()
    assert_accepted(music_composer("prepare", "--cluster", cluster.address, cwd=here), "6 recordings")
    assert_prepared_as(recordings, here)


def test_a_head_that_is_gone_is_said_and_the_same_command_goes_on(
    secured: None, recordings: Path, tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    here = laid_out(recordings, tmp_path)
    idle()
    nodes = Cluster(initialize_head=True, head_node_args=NODE)
    try:
        soon = SMALL | {"music_composer.cluster.ray_session.GONE_SECONDS": 2.0}
        with Started("prepare", "--cluster", nodes.address, cwd=here, constants=soon) as process:
            begun(process)
            nodes.shutdown()
            _, errors = process.communicate()
    finally:
        nodes.shutdown()
    assert process.returncode == 1
    (line,) = [each for each in errors.decode().splitlines() if each and not each.startswith(("preparing", "note: "))]
    assert "is gone" in line and "the same command goes on" in line
    assert_accepted(music_composer("prepare", cwd=here), "6 recordings")
    assert_prepared_as(recordings, here)


def test_networks_evolve_and_music_is_generated_the_same(cluster: Any, tmp_path: Path) -> None:
    write_tune(tmp_path / "a.mid", 1, quarters=8)
    wanted = ("midi", "evolve", "a.mid", "-g", "3", "-m", "300", "-s", "20", "-c", "14", "--seed", "1", "--save")
    few = {"music_composer.genetic.evolution.UNIT": 2}
    assert_accepted(music_composer(*wanted, "-o", "here", cwd=tmp_path))
    assert_accepted(music_composer(*wanted, "-o", "there", "--cluster", cluster.address, cwd=tmp_path, constants=few))
    (one,), (other,) = (list((tmp_path / name).glob("*/models.json")) for name in ("here", "there"))
    assert one.read_bytes() == other.read_bytes()
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
    assert_accepted(music_composer("train", "--head", "memory", "--seed", "1", cwd=tmp_path))
    alone = continued(tmp_path, None)
    assert len(alone) == 3 * 3
    assert continued(tmp_path, cluster.address) == alone


CONTINUE = """
from music_composer.audio.play_options import GenerateOptions
from music_composer.cluster.options import ClusterOptions
from music_composer.cluster.ray_engine import Ray
from music_composer.context import Context
from music_composer.pipelines.audio.generate import generate
from music_composer.pipelines.audio.requests import GenerateRequest
address = {address!r}
engine = Ray(ClusterOptions(address)) if address else None
generate(GenerateRequest(sampling=GenerateOptions(batch=2, count=3, seconds=0.3, seed=3)), Context(executor=engine))
"""


def continued(folder: Path, address: str | None) -> dict[str, Any]:
    """Three continuations in batches of two."""
    assert_accepted(run_python(CONTINUE.format(address=address), cwd=folder))
    found = {path.name: content_of(path) for path in folder.glob("output-*")}
    for name in found:
        (folder / name).unlink()
    return found


def test_scores_are_rendered_to_the_same_bytes(cluster: Any, tmp_path: Path) -> None:
    for i in range(3):
        write_tune(tmp_path / "scores" / f"{i}.mid", i, quarters=8)
    (tmp_path / "scores" / "broken.mid").write_bytes(b"MThd")
    wanted = ("midi", "render", "scores", "--voice", "nes")
    assert_accepted(music_composer(*wanted, "-o", "here", cwd=tmp_path), "3 of 4 files", "broken.mid")
    done = music_composer(*wanted, "-o", "there", "--cluster", cluster.address, cwd=tmp_path)
    assert_accepted(done, "3 of 4 files", "broken.mid")
    for i in range(3):
        name = f"{i}.wav"
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_score_whose_worker_is_killed_is_rendered_by_another(cluster: Any, tmp_path: Path) -> None:
    for i in range(3):
        write_tune(tmp_path / "scores" / f"{i}.mid", i, quarters=100)
    idle()
    with Started(
        "midi", "render", "scores", "--voice", "strings", "--cluster", cluster.address, cwd=tmp_path
    ) as process:
        os.kill(begun(process), signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert b"3 of 3 files" in errors
    assert_accepted(music_composer("midi", "render", "scores", "--voice", "strings", "-o", "here", cwd=tmp_path))
    for i in range(3):
        assert (tmp_path / "scores" / f"{i}.wav").read_bytes() == (tmp_path / "here" / f"{i}.wav").read_bytes()


def test_another_token_is_not_let_in(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    write(tmp_path / "input_music_dataset" / "a.wav", tune(4))
    soon = {"music_composer.cluster.ray_session.JOIN_SECONDS": 8.0}
    refused = music_composer("prepare", "--cluster", cluster.address, cwd=tmp_path, constants=soon)
    assert_refused(refused, "does not let this command in", "RAY_AUTH_TOKEN")
    assert len([line for line in refused.stderr.splitlines() if not line.startswith("preparing")]) == 1, "Ray is silent"


def listening() -> set[str]:
    """Addresses on which processes of this machine listen."""
    rows = []
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net") / name
        rows += path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []
    return {row.split()[1] for row in rows if row.split()[3] == "0A"}
