"""Prepare and generate as multiples of real time, with peak memory, through the installed command.

    python benchmarks/speed/station_speed.py WORK [--hours 10]

Writes synthetic stereo WAVs of 1 minute, 13 minutes and --hours (4 files) into WORK (10 hours take 6.4 GB), prepares
each twice, trains one epoch of a 4 x 1024 network on the 13 minutes, and generates 10 x 10 s.
Peak memory is the largest resident set of the process, as the operating system reports it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

COMMAND = Path(sys.executable).with_name("music-composer")
RATE = 44100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--dataset", type=Path, help="13 minutes of real music to use instead of the synthetic ones")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    helped, _ = _best_of(5, "--help", cwd=options.work)
    print(f"music-composer --help: {helped:.2f} s\n")
    print("| prepare | first run | x real time | peak memory | second run |\n|---|---|---|---|---|")
    for name, minutes, files in (("1 min", 1, 1), ("13 min", 13, 20), (f"{options.hours:g} h", options.hours * 60, 4)):
        folder = _recordings(options.work / name.replace(" ", "-"), minutes, files)
        cache = f"cache-{folder.name}"
        first, memory = _run("prepare", "-d", folder, "-t", cache, cwd=options.work)
        second, _ = _run("prepare", "-d", folder, "-t", cache, cwd=options.work)
        speed = minutes * 60 / first
        print(f"| {name} | {first:.1f} s | {speed:.0f} | {memory:.0f} MB | {second:.2f} s |", flush=True)

    dataset = options.dataset or options.work / "13-min"
    data = ("-d", dataset, "-t", "cache-13-min")
    trained, memory = _run(
        "train", *data, "--head", "flow", "-n", "1024", "-l", "4", "-e", "1", "--fresh", "--seed", "1", cwd=options.work
    )
    print(f"\ntrain, 4 x 1024, 1 epoch of 13 min, start to end: {trained:.1f} s, peak memory {memory:.0f} MB")
    print((options.work / "model" / "history.csv").read_text())
    made, memory = _run("generate", *data, "-g", "10", "-s", "10", "--seed", "1", cwd=options.work)
    print(f"generate, 4 x 1024, 10 x 10 s, start to end: {made:.1f} s, {100 / made:.1f} x real time, {memory:.0f} MB")


def _recordings(folder: Path, minutes: float, files: int) -> Path:
    """Stereo 16-bit WAVs of decaying tones over a little noise, the same seconds of it over and over."""
    rng = np.random.default_rng(0)
    t = np.arange(10 * RATE) / RATE
    notes = 220 * 2 ** (rng.integers(0, 24, 40) / 12)
    sound = 0.2 * np.sin(2 * np.pi * notes[(t * 4).astype(int)] * t) * np.exp(-4 * (t * 4 % 1))
    sound = np.stack([sound, np.roll(sound, 500)], axis=1) + 0.001 * rng.standard_normal((len(t), 2))
    folder.mkdir(exist_ok=True)
    blocks = max(1, round(minutes * 6 / files))
    for i in range(files):
        path = folder / f"{i:02d}.wav"
        if path.exists():
            continue
        with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
            for block in range(blocks):
                file.write(np.roll(sound, 9973 * (i + block), axis=0))
    return folder


def _run(*arguments: str | Path, cwd: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one call of the command."""
    started = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)], cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = _wait(process.pid)
    if status:
        sys.exit(said.decode())
    return time.monotonic() - started, usage.ru_maxrss / 1024


def _wait(pid: int) -> tuple[int, int, resource.struct_rusage]:
    import os

    return os.wait4(pid, 0)


def _best_of(runs: int, *arguments: str, cwd: Path) -> tuple[float, float]:
    return min(_run(*arguments, cwd=cwd) for _ in range(runs))


if __name__ == "__main__":
    main()
