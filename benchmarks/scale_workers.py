"""What workers of a cluster gain, and what one costs: the same long command by none, one and two.

    python benchmarks/scale_workers.py render WORK [--amount 1200]
    python benchmarks/scale_workers.py evolve WORK [--amount 400]
    python benchmarks/scale_workers.py prepare WORK [--amount 70]

`render` renders so many songs of the demonstration's composer, `evolve` evolves so many generations of 20,000 networks,
`prepare` cuts so many recordings of an hour. The defaults take about 20 minutes of one core. The command without a
cluster and that with one worker run at the same time, each held on a core of its own, so that both find the same
machine; then two workers have both cores. `music-composer` is started from the PATH. Nothing else may run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import soundfile

from music_composer.demo.score import write_scores

AMOUNTS = {"render": 1200, "evolve": 400, "prepare": 70}
EVOLVE = ("-m", "20000", "-s", "4000", "-c", "4", "--seed", "1", "-wi", "100000")
RATE = 44100
BLOCK_SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=AMOUNTS)
    parser.add_argument("work", type=Path)
    parser.add_argument("--amount", type=int)
    options = parser.parse_args()
    work = options.work.resolve()
    command = laid_out(work, options.job, options.amount or AMOUNTS[options.job])
    first, second = sorted(os.sched_getaffinity(0))[:2]
    none = started(work, "none", command, {first})
    one = started(work, "one", (*command, "--cluster", "local", "--workers", "1"), {second})
    seconds: dict[str, float] = {}
    while len(seconds) < 2:
        for name, (process, begun) in {"none": none, "one": one}.items():
            if name not in seconds and process.poll() is not None:
                assert process.returncode == 0, process.returncode
                seconds[name] = time.monotonic() - begun
        time.sleep(0.1)
    process, begun = started(work, "two", (*command, "--cluster", "local", "--workers", "2"), {first, second})
    assert process.wait() == 0
    seconds["two"] = time.monotonic() - begun
    print("| workers | seconds | |\n|---|---|---|")
    print(f"| none, one core | {seconds['none']:.0f} | |")
    print(f"| 1 | {seconds['one']:.0f} | {seconds['one'] / seconds['none'] - 1:+.1%} |")
    print(f"| 2 | {seconds['two']:.0f} | {seconds['one'] / seconds['two']:.2f} x |")


def laid_out(work: Path, job: str, amount: int) -> tuple[str, ...]:
    """Makes what a job works on, and returns its command; it runs in a folder beside that."""
    if job == "prepare":
        for i in range(amount):
            write_recording(work / "music" / f"{i}.flac", i)
        return ("prepare", "-d", str(work / "music"))
    if not (work / "scores").exists():
        write_scores(work / "scores", 1, amount if job == "render" else 1)
    scores = sorted((work / "scores").glob("*.mid"))
    if job == "render":
        return ("midi", "render", *map(str, scores), "-o", "rendered")
    return ("midi", "evolve", str(scores[0]), "-g", str(amount), *EVOLVE)


def write_recording(path: Path, seed: int, seconds: int = 3600) -> None:
    """An hour of stereo noise whose level changes each minute."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for _ in range(seconds // BLOCK_SECONDS):
            block = rng.standard_normal((RATE * BLOCK_SECONDS, 2), np.float32)
            file.write(block * np.float32(0.3 * rng.random()))


def started(work: Path, name: str, command: tuple[str, ...], cores: set[int]) -> tuple[subprocess.Popen, float]:
    """Starts `music-composer` in a new folder, on these cores."""
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["music-composer", *command],
            cwd=folder,
            stderr=log,
            stdout=log,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    return process, time.monotonic()


if __name__ == "__main__":
    main()
