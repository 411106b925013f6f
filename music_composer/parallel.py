"""Work on many files in processes of their own, so that one that dies takes nothing else with it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from music_composer import stopping

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
END_SECONDS = 0.8  # that workers have to clean up when the command ends, before they are killed


@dataclasses.dataclass(frozen=True)
class Died:
    """Instead of a result: the process that was at work on it ended. code: of its exit, negative for a signal."""

    code: int

    def __str__(self) -> str:
        if self.code == -signal.SIGKILL:
            return "its process was killed: is memory short?"
        return f"its process ended by {f'signal {-self.code}' if self.code < 0 else f'itself, with code {self.code}'}"


@dataclasses.dataclass
class _Worker:
    process: SpawnProcess
    pipe: connection.Connection
    job: int


def map_in_processes(
    function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], processes: int
) -> Iterator[tuple[int, Any]]:
    """Calls the function with each job's arguments, in some processes side by side, with one BLAS thread each.

    Yields the number of each job and what was returned, as soon as it is there, or `Died`. Errors of the function end
    its process. However the iteration or this process ends, the workers end too, and clean up.
    """
    waiting = iter(range(len(jobs)))
    workers: list[_Worker] = []
    try:
        for number in waiting:
            workers.append(_started(function, jobs, number))
            if len(workers) == min(processes, len(jobs)):
                break
        while workers:
            ready = connection.wait([worker.pipe for worker in workers])
            for worker in [each for each in workers if each.pipe in ready]:
                done = worker.job
                result = _received(worker)
                stopping.check()  # then the workers are being ended, and no new ones are to begin
                following = next(waiting, None)
                if following is None or isinstance(result, Died):
                    workers.remove(worker)
                    _end([worker])
                    if following is not None:
                        workers.append(_started(function, jobs, following))
                else:
                    worker.job = following
                    _send(worker, jobs[following])
                yield done, result
    finally:
        _end(workers)


def _started(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]], number: int) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs), daemon=True)
    with _one_blas_thread():
        process.start()
    theirs.close()
    worker = _Worker(process, ours, number)
    _send(worker, jobs[number])
    return worker


def _send(worker: _Worker, job: tuple[Any, ...]) -> None:
    with contextlib.suppress(OSError):  # it has died: receiving says so
        worker.pipe.send(job)


def _received(worker: _Worker) -> Any:
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(END_SECONDS)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        return Died(worker.process.exitcode or 0)


def _end(workers: Sequence[_Worker]) -> None:
    """Lets idle workers go, and makes those that are at work clean up and end."""
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    until = time.monotonic() + END_SECONDS
    for worker in workers:
        worker.process.join(max(0.0, until - time.monotonic()))
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    """For processes that are started inside: as many of them as cores are at work already."""
    before = {name: os.environ.get(name) for name in BLAS_THREADS}
    os.environ.update({name: "1" for name, value in before.items() if value is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _serve(function: Callable[..., Any], pipe: connection.Connection) -> None:
    """The life of a worker. Ctrl-C reaches all processes of the terminal, and is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(function(*job))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # unwinds, so that nothing half written stays


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
