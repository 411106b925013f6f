"""Jobs in processes: what dies takes nothing with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from music_composer import parallel
from music_composer.parallel import Died, map_in_processes


def square(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        raise ValueError
    return number**2


def test_a_process_that_dies_is_the_failure_of_its_job_alone() -> None:
    results = dict(map_in_processes(square, [(number,) for number in range(8)], 2))
    assert {number: each for number, each in results.items() if isinstance(each, int)} == {
        number: number**2 for number in (0, 1, 2, 5, 6, 7)
    }
    assert results[3] == Died(-signal.SIGKILL)
    assert "memory" in str(results[3])
    assert isinstance(results[4], Died)


def threads(_: int) -> list[str | None]:
    return [os.environ.get(name) for name in parallel.BLAS_THREADS]


def test_processes_have_one_blas_thread_each_and_ours_stays_as_it_was() -> None:
    before = dict(os.environ)
    assert dict(map_in_processes(threads, [(1,)], 1)) == {0: [before.get(n, "1") for n in parallel.BLAS_THREADS]}
    assert dict(os.environ) == before


COMMAND = """
import os, sys
from music_composer.cli import main as cli_main
cli_main._run = lambda: print("numpy" in sys.modules, os.environ["OPENBLAS_NUM_THREADS"])
cli_main.main()
"""


@pytest.mark.parametrize(("asked", "found"), [(None, "1"), ("3", "3")])
def test_a_command_has_one_thread_of_linear_algebra_unless_others_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, found: str
) -> None:
    """It is set before NumPy is loaded, which reads it once."""
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    if asked:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", asked)
    done = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", found]
