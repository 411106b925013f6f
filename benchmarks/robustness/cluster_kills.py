"""Whether a cluster writes the bytes that one machine writes, also when a worker or a machine of it is killed.

    python benchmarks/robustness/cluster_kills.py WORK [--jobs prepare generate evolve render] [--repeats 2]

Each command runs without a cluster, by `--cluster local`, on a cluster of two nodes, and on one that loses a worker or
a node, by kill -9, while both nodes are at a job. The nodes are on this machine. Prints a line for each command and
exits with 1 if anything differs. Needs Ray. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

JOBS = {
    "prepare": ("prepare",),
    "generate": ("generate", "-g", "40", "-s", "5", "--seed", "3", "-m", "../model"),
    "evolve": (
        *("midi", "evolve", "../scores/0.mid", "-g", "8", "-m", "4000", "-s", "400", "-c", "14", "--seed", "1"),
        *("--save", "-o", "evolved"),
    ),
    "render": ("midi", "render", "../scores", "-o", "rendered", "--voice", "strings"),
}
# Small jobs, so that there are many of them; the results do not depend on it.
CONSTANTS = MappingProxyType(
    {
        "music_composer.audio.dataset.units.UNIT_BYTES": 1,
        "music_composer.audio.dataset.units.UNIT_FILES": 1,
        "music_composer.genetic.evolution.UNIT": 2,
        "music_composer.pipelines.audio.copy_check.MAX_SECONDS": 0.0,
    }
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--repeats", type=int, default=2, help="kills of each kind")
    options = parser.parse_args()
    work = options.work.resolve()
    ways: dict[str, Callable[..., None]] = {
        "local": by_itself, "two nodes": undisturbed, "a worker killed": worker_killed, "a node killed": node_killed,
    }  # fmt: skip
    # Before Ray is imported, which reads them only then.
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as folder:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_TMPDIR": folder}
        lay_out(work)
        differs = False
        print(f"| command | files | {' | '.join(ways)} |\n|---|---{'|---' * len(ways)}|", flush=True)
        for job in options.jobs:
            wanted, cells = result_of(work, job, lambda run: run()), []
            for name, way in ways.items():
                found = [result_of(work, job, way) for _ in range(options.repeats if "killed" in name else 1)]
                same = sum(each == wanted for each in found)
                cells.append("the same" if same == len(found) == 1 else f"the same, {same} of {len(found)}")
                differs |= same < len(found)
            print(f"| {job} | {len(wanted)} | {' | '.join(cells)} |", flush=True)
    sys.exit(1 if differs else 0)


def lay_out(work: Path) -> None:
    """Makes recordings, a memory of two of them, and scores."""
    from tests.command import assert_accepted, music_composer, tune, write
    from tests.symbolic.tunes import write_tune

    shutil.rmtree(work, ignore_errors=True)
    for i in range(12):
        write(work / "recordings" / f"{i}.wav", tune(60, seed=i))
        write_tune(work / "scores" / f"{i}.mid", i, quarters=100)
    for i in range(2):
        shutil.copy2(work / "recordings" / f"{i}.wav", write(work / "few" / f"{i}.wav", tune(1)))
    learnt = ("train", "--head", "memory", "--seed", "1", "-d", "few", "-t", "few_cache", "-m", "model")
    assert_accepted(music_composer(*learnt, cwd=work))


def result_of(work: Path, job: str, way: Callable[..., None]) -> dict[str, Any]:
    """What a command writes into a new folder, run in this way: contents by path."""
    from tests.command import Started

    folder = work / "here"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "input_music_dataset").symlink_to(work / ("few" if job == "generate" else "recordings"))

    def run(*more: str, meanwhile: Callable[[], None] = lambda: None) -> None:
        with Started(*JOBS[job], *more, cwd=folder, constants=CONSTANTS) as process:
            meanwhile()
            _, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"{job} {' '.join(more)} ended with {process.returncode}: {errors.decode()[-500:]}")

    way(run)
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        # What a killed process had begun is hidden, and goes when the next one writes there.
        if path.is_symlink() or not path.is_file() or any(part[0] == "." for part in path.relative_to(folder).parts):
            continue
        content: Any = path.read_bytes()
        if path.suffix == ".json" and isinstance(plain := json.loads(content), dict):
            # Libraries of which a process may have loaded more than it needs, and how long it took.
            content = plain | {"versions": None, "seconds": None}
        # The folder of an evolution is called by the time of day.
        found["/".join(part for part in path.relative_to(folder).parts if not part[:8].isdigit())] = content
    return found


def by_itself(run: Callable[..., None]) -> None:
    run("--cluster", "local")


def undisturbed(run: Callable[..., None]) -> None:
    with_nodes(lambda address, _: run("--cluster", address))


def worker_killed(run: Callable[..., None]) -> None:
    def kill() -> None:
        os.kill(both_running()[0], signal.SIGKILL)

    with_nodes(lambda address, _: run("--cluster", address, meanwhile=kill))


def node_killed(run: Callable[..., None]) -> None:
    def go(address: str, remove: Callable[[], None]) -> None:
        def kill() -> None:
            both_running()
            remove()

        run("--cluster", address, meanwhile=kill)

    with_nodes(go)


def with_nodes(act: Callable[[str, Callable[[], None]], None]) -> None:
    """Starts two nodes of a processor each, and a head that has none; gives the address, and what kills one node."""
    from ray.cluster_utils import Cluster

    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 2}  # until a killed node counts as gone
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    )
    try:
        lost = [nodes.add_node(num_cpus=1) for _ in range(2)][-1]
        nodes.wait_for_nodes()
        act(nodes.address, lambda: nodes.remove_node(lost, allow_graceful=False))
    finally:
        nodes.shutdown()


def both_running() -> list[int]:
    """Waits until two processes run jobs, and returns their numbers."""
    from tests.cluster.conftest import workers

    until = time.monotonic() + 100
    while time.monotonic() < until:
        if len(found := workers()) > 1:
            return found
        time.sleep(0.005)
    raise SystemExit("no two jobs have run at the same time")


if __name__ == "__main__":
    main()
