"""Thousands of short recordings under a low limit of open files: they are prepared, learnt and continued.

    python benchmarks/speed/many_recordings.py [--count 3000] [--files 256]

Prints a row for each command: exit code, seconds, peak memory. Exits with 1 where one fails. `music-composer` has to be
on the PATH. Linux and macOS.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE = 44100
SECONDS = 0.3
COMMANDS = (
    ("prepare", "-d", "music"),
    ("train", "-d", "music", "--head", "flow", "-n", "8", "-l", "1", "-e", "1", "-b", "64", "--seed", "1"),
    ("generate", "-g", "1", "-s", "1", "--seed", "1"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--files", type=int, default=256, help="that a process may have open")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="many-") as folder:
        write_music(Path(folder) / "music", options.count)
        print(f"{options.count} recordings of {SECONDS} s, {options.files} open files")
        print("| command | exit code | time | peak |")
        print("|---|---|---|---|")
        for words in COMMANDS:
            code, seconds, peak = run(words, Path(folder), options.files)
            failed |= code != 0
            print(f"| {' '.join(words)} | {code} | {seconds:.0f} s | {peak / 2**20:.0f} MB |", flush=True)
    sys.exit(failed)


def write_music(folder: Path, count: int) -> None:
    """Tones of different pitch, so that none counts as a copy of another."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    t = np.arange(round(SECONDS * RATE)) / RATE
    for number in range(count):
        tones = [np.sin(2 * np.pi * frequency * t) for frequency in rng.uniform(100, 2000, 3)]
        soundfile.write(folder / f"{number}.wav", 0.2 * np.sum(tones, axis=0), RATE)


def run(words: tuple[str, ...], cwd: Path, files: int) -> tuple[int, float, int]:
    """Exit code, seconds, and the largest resident set in bytes."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    started = time.monotonic()
    process = subprocess.Popen(["music-composer", *words], cwd=cwd, stderr=subprocess.PIPE, preexec_fn=limit)
    assert process.stderr
    said = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        print(said, file=sys.stderr)
    return code, time.monotonic() - started, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
