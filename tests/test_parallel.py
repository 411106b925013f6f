"""Jobs in processes: what dies takes nothing with it."""

from __future__ import annotations

import os
import signal

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
