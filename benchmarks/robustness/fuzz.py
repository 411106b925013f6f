"""Damaged files for every reader: each must be read, or refused with an error of ours, in bounded time and memory.

    python benchmarks/robustness/fuzz.py [--cases 100000] [--readers midi wav ...] [--keep FOLDER]

Prints a line for each reader: files that were read (what is whole of them), refused with our own error, other
exceptions, cases of more than 20 s, of more than 1 GB, and processes that died. Exits with 1 if there is any of the
last four. A case is (reader, seed, number): the same three give the same file. Linux only, for the peak of memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzzing.cases import BAD, READ, REFUSED, run_cases

SHARES = {
    "wav": 20, "flac": 15, "ogg": 10, "aiff": 10, "mp3": 8, "midi": 20, "musicxml": 2, "abc": 2,
    "index": 3, "shard": 2, "options": 3, "checkpoint": 2, "weights": 2, "models": 3,
}  # fmt: skip
CHUNK = 2500  # cases in one process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="of all readers together")
    parser.add_argument("--readers", nargs="+", choices=list(SHARES), default=list(SHARES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the files of cases that went wrong")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    total = sum(SHARES[reader] for reader in options.readers)
    counts = {reader: -(-options.cases * SHARES[reader] // total) for reader in options.readers}
    chunks = [(reader, first) for reader in options.readers for first in range(0, counts[reader], CHUNK)]
    found: dict[str, Counter[str]] = {reader: Counter() for reader in options.readers}
    started = time.monotonic()

    def run(chunk: tuple[str, int]) -> None:
        reader, first = chunk
        last = min(counts[reader], first + CHUNK)
        found[reader].update(run_cases(reader, options.seed, first, last, options.keep))
        print(f"{reader} {first} to {last}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(options.processes) as pool:
        for _ in pool.map(run, chunks):
            pass
    bad = report(found)
    print(f"{sum(counts.values())} cases in {time.monotonic() - started:.0f} s, seed {options.seed}")
    sys.exit(1 if bad else 0)


def report(found: dict[str, Counter[str]]) -> int:
    """Prints the table; returns how many cases went wrong."""
    print("| reader | cases | read | refused | other exceptions | hangs | over 1 GB | died |")
    print("|---|---|---|---|---|---|---|---|")
    bad = 0
    for reader, counts in found.items():
        others = Counter({outcome: n for outcome, n in counts.items() if outcome not in (READ, REFUSED, *BAD)})
        wrong = [others.total(), *(counts[outcome] for outcome in BAD)]
        bad += sum(wrong)
        cells = [counts.total(), counts[READ], counts[REFUSED], *wrong]
        print(f"| {reader} | " + " | ".join(map(str, cells)) + " |")
        for outcome, n in others.most_common(10):
            print(f"    {n} x {outcome}")
    return bad


if __name__ == "__main__":
    main()
