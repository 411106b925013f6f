"""Runs fuzzed cases in a process of their own, and says of each what became of it.

A case hangs when it takes longer than HANG_SECONDS, and is too large when it takes more than LARGE_BYTES beyond what
the process held before. A process that dies is counted with the case that killed it; another goes on after it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import mutated

HANG_SECONDS = 20.0
LARGE_BYTES = 2**30
LIMIT_BYTES = 12 * 2**30  # of address space: a case that asks for more gets a MemoryError, and this machine lives
READ, REFUSED, HANG, LARGE, DIED = "read", "refused", "hang", "over 1 GB", "died"
BAD = (HANG, LARGE, DIED)


def run_cases(reader: str, seed: int, first: int, last: int, keep: Path | None) -> Counter[str]:
    """Outcomes of the cases first..last of a reader: READ, REFUSED, one of BAD, or the name of another exception.

    keep: a folder for the files of cases that went wrong.
    """
    counts: Counter[str] = Counter()
    while first < last:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        worker = multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, reader, seed, first, last, keep), daemon=True
        )
        worker.start()
        theirs.close()
        first, ended = _listen(ours, first, counts)
        worker.kill()
        worker.join()
        if ended and first < last:
            counts[ended] += 1
            if keep:
                print(f"{reader} case {first} (seed {seed}): {ended}", flush=True)
            first += 1
    return counts


def case_of(seeds: list[bytes], text: bool, seed: int, number: int) -> bytes:
    """The damaged file of one case."""
    rng = np.random.default_rng([seed, number])
    return mutated(seeds[int(rng.integers(len(seeds)))], seeds, rng, text)


def outcome_of(read: Callable[[bytes], Any], content: bytes) -> str:
    """READ, REFUSED or the name of an exception that is not ours."""
    from music_composer.errors import MusicComposerError

    try:
        read(content)
    except MusicComposerError:
        return REFUSED
    except Exception as error:  # what this benchmark is there to find
        return f"{type(error).__name__}: {str(error)[:60]}"
    return READ


def _listen(pipe: Connection, number: int, counts: Counter[str]) -> tuple[int, str]:
    """Counts outcomes until the worker ends; returns the case that it is at, and how it ended if that was badly."""
    ready = False
    while True:
        try:
            if not pipe.poll(HANG_SECONDS if ready else 300.0):
                return number, HANG
            outcome = pipe.recv()
        except (EOFError, ConnectionError):
            if not ready:
                raise RuntimeError("the process ended before its first case: run its reader by hand") from None
            return number, DIED
        if outcome == "ready":
            ready = True
        elif outcome == "done":
            return number, ""
        else:
            counts[outcome] += 1
            number += 1


def _work(pipe: Connection, reader: str, seed: int, first: int, last: int, keep: Path | None) -> None:
    from fuzzing.readers import READERS

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders say there what they think of each case
    with tempfile.TemporaryDirectory() as folder:
        target = READERS[reader](Path(folder))
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        pipe.send("ready")
        for number in range(first, last):
            content = case_of(target.seeds, target.text, seed, number)
            before = _memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
            outcome = outcome_of(target.read, content)
            if _memory("VmHWM") - before > LARGE_BYTES:
                outcome = LARGE
            if keep and outcome not in (READ, REFUSED):
                print(f"{reader} case {number} (seed {seed}): {outcome}", flush=True)
                (keep / f"{reader}-{seed}-{number}").write_bytes(content)
            pipe.send(outcome)
        pipe.send("done")


def _memory(field: str) -> int:
    """Bytes, as Linux counts them."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    return 0
