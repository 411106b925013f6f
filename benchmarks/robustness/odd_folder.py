"""The whole journey on a folder that mixes every odd recording: it must end with its WAVs, whatever the seed.

    python benchmarks/robustness/odd_folder.py WORK [--seeds 10]

Runs `music-composer -n 32 -l 1 -e 1` in a new folder for each seed. Prints a row each: exit code, WAVs, their length,
and how many notes were said. Exits with 1 where a run fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import soundfile

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.odd_recordings import write_odd, write_whole  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    failed = 0
    print("| seed | exit code | WAVs | seconds each | notes | traceback | time |")
    print("|---|---|---|---|---|---|---|")
    for seed in range(1, options.seeds + 1):
        folder = options.work / f"seed-{seed}"
        write_whole(folder / "input_music_dataset")
        write_odd(folder / "input_music_dataset")
        started = time.monotonic()
        command = [sys.executable, "-m", "music_composer", "-n", "32", "-l", "1", "-e", "1"]
        done = subprocess.run([*command, "--seed", str(seed)], cwd=folder, capture_output=True, text=True)
        (folder / "said.txt").write_text(done.stderr, encoding="utf-8")
        made = sorted(folder.glob("output-*.wav"))
        seconds = sorted({round(soundfile.info(path).duration, 1) for path in made})
        notes = sum(line.startswith("note:") for line in done.stderr.splitlines())
        traceback = "Traceback" in done.stderr
        failed += done.returncode != 0 or len(made) != 10 or traceback
        spent = time.monotonic() - started
        print(
            f"| {seed} | {done.returncode} | {len(made)} | {seconds} | {notes} | {traceback} | {spent:.0f} s |",
            flush=True,
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
