"""How fast recordings are prepared, beside another checkout of this project, turn by turn in one run.

    git worktree add ../before COMMIT
    python benchmarks/speed/prepare_speed.py ../before                     # recordings that are made for it
    python benchmarks/speed/prepare_speed.py ../before --music FOLDER --rounds 7

Each turn is a process of its own with an empty cache. What counts is from the call of `prepare` to its return, without
the import of libraries; the two sides alternate, so that other work on the machine slows both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).resolve().parents[2]
TURN = """
import json, sys, time
from pathlib import Path
from music_composer.audio.dataset import cache
started, cpu = time.perf_counter(), time.process_time()
made, _ = cache.prepare(Path(sys.argv[1]), Path(sys.argv[2]))
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"seconds": seconds, "cpu": cpu, "music": made.seconds}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a checkout of the commit to compare with")
    parser.add_argument("--music", type=Path, help="a folder of recordings; without it some are made")
    parser.add_argument("--count", type=int, default=24, help="recordings that are made")
    parser.add_argument("--length", type=float, default=30.0, help="seconds of each")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        music = options.music or write_music(Path(scratch) / "music", options.count, options.length)
        sides = {"this": HERE, "other": options.other.resolve()}
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for number in range(options.rounds + 1):
            order = list(sides) if number % 2 else list(reversed(sides))
            for name in order:
                cache = Path(scratch) / f"{name}-{number}"
                turn = take_turn(sides[name], music, cache)
                if number:  # the first warms the disk
                    turns[name].append(turn)
    print("| checkout | seconds | of CPU | x real time |\n|---|---|---|---|")
    for name, each in turns.items():
        seconds, cpu = (statistics.median(turn[field] for turn in each) for field in ("seconds", "cpu"))
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {each[0]['music'] / seconds:.0f} |")
    pairs = list(zip(turns["this"], turns["other"], strict=True))
    for field, words in (("seconds", "time"), ("cpu", "CPU time")):
        ratios = sorted(other[field] / this[field] for this, other in pairs)
        print(f"{words} of the other over this: median {statistics.median(ratios):.2f}, "
              f"{ratios[0]:.2f} to {ratios[-1]:.2f} over {len(ratios)} rounds")  # fmt: skip


def take_turn(checkout: Path, music: Path, cache: Path) -> dict[str, float]:
    """Prepares all of the music into a new cache with the code of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", TURN, str(music), str(cache)]
    done = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def write_music(folder: Path, count: int, seconds: float) -> Path:
    """Stereo recordings of decaying notes, half of them WAV and half FLAC."""
    folder.mkdir()
    rate = 44100
    time = np.arange(rate // 2) / rate
    for number in range(count):
        rng = np.random.default_rng(number)
        sound = np.zeros((round(seconds * rate), 2), np.float32)
        for start in range(0, len(sound) - len(time), rate // 4):
            tone = np.sin(2 * np.pi * 110 * 2 ** (rng.integers(36) / 12) * time) * np.exp(-6 * time)
            sound[start : start + len(time)] += 0.2 * tone[:, None] * rng.uniform(0.3, 1, 2)
        suffix = ("wav", "flac")[number % 2]
        soundfile.write(folder / f"{number:04d}.{suffix}", sound, rate)
    return folder


if __name__ == "__main__":
    main()
