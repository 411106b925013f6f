"""How fast each voice renders, on one core; and a folder on all of them.

    python benchmarks/speed/render_speed.py WORK [--pieces 6] [--repeats 3]

Songs of the demonstration's composer. The factor is seconds of music over seconds of work, reading and writing
included; medians over the songs and repeats. The folder is rendered by `music-composer midi render`, with its start-up.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from music_composer.cli.render import VOICES
from music_composer.demo.score import write_scores
from music_composer.pipelines.render import render_file
from music_composer.synth.options import RenderOptions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    files = write_scores(options.work / "scores", 1, options.pieces)
    print("| voice | x real time |\n|---|---|")
    for voices in (*((name,) for name in VOICES), ("nes", "strings")):
        factors = []
        for _ in range(options.repeats):
            for file in files:
                started = time.perf_counter()
                done = render_file(file, options.work / "a.wav", RenderOptions(voices))
                factors.append(done.seconds / (time.perf_counter() - started))
                assert not done.failure, done.failure
        print(f"| {' and '.join(voices)} | {np.median(factors):.0f} |", flush=True)
    command = [sys.executable, "-m", "music_composer", "midi", "render", str(options.work / "scores")]
    finished = subprocess.run([*command, "-o", str(options.work / "out")], capture_output=True, text=True, check=True)
    print(f"\n{finished.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
