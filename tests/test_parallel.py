"""Jobs in processes: what dies takes nothing with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from music_composer import parallel
from music_composer.errors import MusicComposerError
from music_composer.parallel import Died, Failed, Processes, Sequential, Threads
from music_composer.stopping import Stopped

pytestmark = pytest.mark.journey


def square(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 4:
        raise ValueError
    return number**2


def test_a_process_that_dies_is_the_failure_of_its_job_alone() -> None:
    results = parallel.map(square, [(number,) for number in range(8)], Processes(2), caught=(Exception,))
    assert [each for each in results if isinstance(each, int)] == [number**2 for number in (0, 1, 2, 5, 6, 7)]
    assert results[3] == Failed(Died(-signal.SIGKILL))
    assert "memory" in str(results[3])
    assert isinstance(results[4].error, ValueError)
    with pytest.raises(MusicComposerError, match="^3: its process was killed"):
        parallel.map(square, [(3,)], Processes(1))


EXECUTORS = pytest.mark.parametrize(
    "executor", [Sequential(), Threads(3), Processes(2)], ids=lambda each: type(each).__name__
)


def slow_first(number: int) -> int:
    time.sleep(0.1 * (number == 0))
    if number == 5:
        raise Unpicklable("one", "two")
    return -number


class Unpicklable(Exception):
    """An error that pickle cannot bring back."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


@EXECUTORS
def test_results_are_in_the_order_of_their_jobs_and_told_as_they_end(executor: parallel.Executor) -> None:
    told: list[int] = []
    jobs = [(number,) for number in range(5)]
    assert parallel.map(slow_first, jobs, executor, lambda number, result: told.append(number)) == [0, -1, -2, -3, -4]
    assert sorted(told) == list(range(5))


@EXECUTORS
def test_an_error_ends_all_and_names_its_job(executor: parallel.Executor) -> None:
    with pytest.raises(Exception, match="one") as raised:
        parallel.map(slow_first, [(number,) for number in range(4, 9)], executor)
    assert raised.value.__notes__ == ["job 2 of 5: 5"]
    results = parallel.map(slow_first, [(4,), (5,), (6,)], executor, caught=(Exception,))
    assert (results[0], results[2]) == (-4, -6)
    assert "one" in str(results[1])


@EXECUTORS
def test_being_stopped_lets_no_job_begin_and_tells_those_that_end(executor: parallel.Executor) -> None:
    stop, told = threading.Event(), list[int]()

    def check() -> None:
        if told:
            raise Stopped

    with pytest.raises(Stopped):
        parallel.map(slow_first, [(number,) for number in range(1, 5)] * 50, executor,
                     lambda number, result: told.append(number), check=check, stop=stop.set)  # fmt: skip
    assert 1 <= len(told) <= 4
    assert stop.is_set() == isinstance(executor, Threads)


def threads(_: int) -> list[str | None]:
    return [os.environ.get(name) for name in parallel.BLAS_THREADS]


def test_processes_have_one_blas_thread_each_and_ours_stays_as_it_was() -> None:
    before = dict(os.environ)
    assert parallel.map(threads, [(1,)], Processes(1)) == [[before.get(n, "1") for n in parallel.BLAS_THREADS]]
    assert dict(os.environ) == before


COMMAND = """
import os, sys
from music_composer import __main__ as program
program._run = lambda: print("numpy" in sys.modules, os.environ["OPENBLAS_NUM_THREADS"])
program.main()
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
