"""Kills whole journeys, and looks at what they leave: nothing torn, recordings unchanged, resumed as if not killed.

    python benchmarks/robustness/kills.py [--before 900] [--real 100] [--journeys audio midi ...] [--seed 1]
        [--processes 2]

--before: kills before the opening for writing, rename, removal or new folder that comes next, one after the other
through each journey, with a network of a few numbers; files are not synced there. --real: kills at random moments of
the real thing. After each kill the same command runs to its end, unless all was there already. Prints a line for each
journey and exits with 1 if anything was found. Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

COLUMNS = {
    "ended": "ended before", "whole": "all was there", "torn": "torn", "inputs": "inputs changed",
    "differs": "not as if whole", "failed": "failed",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=int, default=900, help="kills before a change to a file")
    parser.add_argument("--real", type=int, default=100, help="kills of the real thing at random moments")
    parser.add_argument("--journeys", nargs="+", help="names; see benchmarks/robustness/killing/journeys.py")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    bad = 0
    _warm()
    if options.before:
        bad += _report("before a change to a file", options.before, kill_before, options)
    if options.real:
        bad += _report("at a random moment, the real thing", options.real, kill_at_random, options)
    sys.exit(1 if bad else 0)


def _report(how: str, wanted: int, kill: Any, options: argparse.Namespace) -> int:
    started = time.monotonic()
    total: Counter[str] = Counter()
    print(f"killed {how}\n| journey | kills | {' | '.join(COLUMNS.values())} |", flush=True)
    print("|---|---" + "|---" * len(COLUMNS) + "|", flush=True)
    for name, counts in kill(wanted, options.journeys, options.seed, options.processes):
        _row(name, counts)
        total.update(counts)
    _row("all", total)
    print(f"{time.monotonic() - started:.0f} s, seed {options.seed}", flush=True)
    return sum(total[column] for column in ("torn", "inputs", "differs", "failed"))


def _row(name: str, counts: Counter[str]) -> None:
    print(f"| {name} | {' | '.join(str(counts[column]) for column in ('kills', *COLUMNS))} |", flush=True)


def kill_before(wanted: int, names: list[str] | None, seed: int, processes: int) -> Any:
    """Before changes of each journey that lie as far apart as there are kills wanted, at most before every one."""
    from killing.journeys import JOURNEYS, stand_ins

    with stand_ins(), _pool(processes) as pool:
        chosen = names or list(JOURNEYS)
        changes = dict(zip(chosen, pool.map(_changes, chosen), strict=True))
        for name in chosen:
            kills = min(changes[name], round(wanted * changes[name] / sum(changes.values())))
            places = [(2 * i + 1) * changes[name] // (2 * kills) for i in range(kills)]
            counts = pool.map(_killed_before, [name] * processes, [places[i::processes] for i in range(processes)])
            yield f"{name}, {changes[name]} changes", sum(counts, Counter())


def kill_at_random(wanted: int, names: list[str] | None, seed: int, processes: int) -> Any:
    from killing.journeys import REAL

    chosen = names or list(REAL)
    with _pool(processes) as pool:
        for place, name in enumerate(chosen):
            kills = wanted // len(chosen) + (place < wanted % len(chosen))
            shares = [kills // processes + (i < kills % processes) for i in range(processes)]
            seeds = [[seed, place, i] for i in range(processes)]
            yield name, sum(pool.map(_killed_at_random, [name] * processes, shares, seeds), Counter())


def _pool(processes: int) -> ProcessPoolExecutor:
    """Of copies of this process: what is loaded here, and what stands in for it, is there too."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("fork"))


def _changes(name: str) -> int:
    with Trial(name) as trial:
        return trial.changes


def _killed_before(name: str, places: list[int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    if places:
        with Trial(name) as trial:
            for place in places:
                trial.kill(counts, before=place)
    return counts


def _killed_at_random(name: str, kills: int, seed: list[int]) -> Counter[str]:
    """A kill that comes after the end is drawn again, at most twice as often as there are kills."""
    rng = np.random.default_rng(seed)
    counts: Counter[str] = Counter()
    if kills:
        with Trial(name) as trial:
            while counts["kills"] < kills and counts["ended"] < 2 * kills:
                trial.kill(counts, after=float(rng.uniform(0, 1.02)) * trial.seconds)
    return counts


def _warm() -> None:
    """Imports what all children need; no network is built here, so that nothing but this thread is forked."""
    import keras  # noqa: F401
    import matplotlib.figure  # noqa: F401

    import music_composer.audio.continuation.writing
    import music_composer.cli.commands
    import music_composer.pipelines.audio.compose
    import music_composer.pipelines.evolve
    import music_composer.pipelines.render
    import music_composer.pipelines.symbolic.compose
    import music_composer.training.optimizer  # noqa: F401


class Trial:
    """A journey as it ends where nobody kills it, and kills of its last command beside that."""

    def __init__(self, name: str) -> None:
        from killing.engine import changes_of, in_child, inputs_of, state_of
        from killing.journeys import JOURNEYS, command, write_inputs

        self.name, self.commands = name, [command(arguments) for arguments in JOURNEYS[name]]
        self.folder = Path(tempfile.mkdtemp(prefix="kills-"))
        begin = self.folder / "begin"
        write_inputs(begin / "music")
        self.log = self.folder / "log.txt"
        for work in self.commands[:-1]:
            with contextlib.chdir(begin):
                assert in_child(work, self.log) == 0, self.log.read_text()[-2000:]
        whole = self._copy("whole")
        started = time.monotonic()
        with contextlib.chdir(whole):
            self.changes = changes_of(self.commands[-1], self.log)
        self.seconds = time.monotonic() - started
        self.inputs, self.state = inputs_of(whole), state_of(whole)

    def kill(self, counts: Counter[str], before: int | None = None, after: float | None = None) -> bool:
        """False where the command ended before it was to be killed."""
        from killing.engine import in_child, inputs_of, leftovers, state_of, torn

        trial = self._copy("trial")
        self.log.write_text("")
        with contextlib.chdir(trial):
            killed = in_child(self.commands[-1], self.log, before, after) is None
            counts["kills" if killed else "ended"] += 1
            found = torn(trial)
            counts["torn"] += bool(found)
            if done := not found and state_of(trial) == self.state:  # again would be another job: it trains further
                counts["whole"] += 1
            code = 0 if done else in_child(self.commands[-1], self.log)
        if code != 0:
            counts["failed"] += 1
            found.append(f"exit code {code}: {self.log.read_text()[-1500:]}")
        elif not done:
            state, hidden = state_of(trial), leftovers(trial)
            if hidden or state != self.state:
                counts["differs"] += 1
                names = [name for name in {*state, *self.state} if state.get(name) != self.state.get(name)]
                found.append(f"other than if it had not been killed: {sorted(names)} {hidden}")
        if inputs_of(trial) != self.inputs:
            counts["inputs"] += 1
            found.append("inputs changed")
        for line in found:
            print(f"  {self.name}, killed before {before} after {after}: {line}", file=sys.stderr, flush=True)
        return killed

    def _copy(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "begin", folder)
        return folder

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
