"""One way to do many jobs: `map`, with executors that run them here, in threads, or in processes of their own.

    results = parallel.map(work, [(path, options) for path in paths], Threads(4))

An executor reports each job as it is done, in the thread of the caller; `map` puts the results in order. Another
executor, on other machines for example, needs that one method.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, Protocol

from music_composer import stopping
from music_composer.errors import MusicComposerError
from music_composer.stopping import Stopped

Work = Callable[..., Any]
Jobs = Sequence[tuple[Any, ...]]
Done = Callable[[int, Any], None]  # number of a job, and what `work` returned or a Failed
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
POLL_SECONDS = 0.2  # between two looks at whether to stop
END_SECONDS = 0.8  # that workers have to clean up when the command ends, before they are killed


@dataclasses.dataclass(frozen=True)
class Died:
    """Instead of a result: the process that was at work on it ended. code: of its exit, negative for a signal."""

    code: int

    def __str__(self) -> str:
        if self.code == -signal.SIGKILL:
            return "its process was killed: is memory short?"
        return f"its process ended by {f'signal {-self.code}' if self.code < 0 else f'itself, with code {self.code}'}"


@dataclasses.dataclass(frozen=True)
class Failed:
    """Instead of a result: what a job raised, or how its process ended."""

    error: Exception | Stopped | Died

    def __str__(self) -> str:
        return str(self.error)


class Executor(Protocol):
    """Runs jobs in any order."""

    def run(self, work: Work, jobs: Jobs, done: Done, check: Callable[[], None], stop: Callable[[], None]) -> None:
        """Calls work(*job) for each job, and done(number, result or Failed) for each that has ended.

        done: is called in this thread, and may raise. check: is called before a job begins, and raises Stopped once
        none is to. Whatever is raised: no job begins any more, `stop` asks those that run to end, and those that ended
        well are told still.
        """


class Sequential:
    """One job after the other, in this thread."""

    def run(self, work: Work, jobs: Jobs, done: Done, check: Callable[[], None], stop: Callable[[], None]) -> None:
        for number, job in enumerate(jobs):
            check()
            done(number, _attempt(work, job))


@dataclasses.dataclass(frozen=True)
class Threads:
    """Some jobs at a time, in threads: for work that lets other threads run."""

    workers: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)

    def run(self, work: Work, jobs: Jobs, done: Done, check: Callable[[], None], stop: Callable[[], None]) -> None:
        waiting = iter(enumerate(jobs))
        running: dict[Future[Any], int] = {}

        def tell(futures: Iterable[Future[Any]]) -> None:
            for future in futures:
                done(running.pop(future), future.result())

        with ThreadPoolExecutor(self.workers) as pool:
            try:
                while True:
                    while len(running) < self.workers and (following := next(waiting, None)):
                        check()
                        number, job = following
                        running[pool.submit(_attempt, work, job)] = number
                    if not running:
                        return
                    tell(wait(running, return_when=FIRST_COMPLETED).done)
            except BaseException:
                stop()
                wait(running)
                tell([each for each in running if not each.exception() and not isinstance(each.result(), Failed)])
                raise


@dataclasses.dataclass(frozen=True)
class Processes:
    """Some jobs at a time, each in a process with one BLAS thread; one that dies takes nothing else with it.

    work: a function of a module; jobs: of what can be pickled. However this ends, the processes end too, and clean up.
    """

    workers: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)

    def run(self, work: Work, jobs: Jobs, done: Done, check: Callable[[], None], stop: Callable[[], None]) -> None:
        for number, result in _in_processes(functools.partial(attempted, work), jobs, self.workers, check):
            done(number, Failed(result) if isinstance(result, Died) else result)


def map(  # noqa: A001
    work: Work,
    jobs: Jobs,
    executor: Executor,
    done: Done = lambda number, result: None,
    caught: tuple[type[Exception], ...] = (),
    check: Callable[[], None] = stopping.check,
    stop: Callable[[], None] = lambda: None,
) -> list[Any]:
    """What work(*job) returns for each job, in the order of the jobs.

    done: is called with the number of each job and its result, in the order in which they end. caught: errors that are
    the result of their job, as Failed; so is Died where this has Exception. Any other error ends all of it, with a note
    that names its job. check, stop: as `Executor.run` has them.
    """
    results: list[Any] = [None] * len(jobs)

    def keep(number: int, result: Any) -> None:
        if isinstance(result, Failed) and not isinstance(result.error, caught or ()):
            if not isinstance(result.error, Died):
                result.error.add_note(f"job {number + 1} of {len(jobs)}: {_shown(jobs[number])}")
                raise result.error
            if Exception not in caught:
                raise MusicComposerError(f"{_shown(jobs[number])}: {result.error}")
        results[number] = result
        done(number, result)

    executor.run(work, jobs, keep, check, stop)
    return results


def _attempt(work: Work, job: tuple[Any, ...]) -> Any:
    try:
        return work(*job)
    except Exception as error:
        return Failed(error)


def attempted(work: Work, *job: Any) -> Any:
    """Returns what work(*job) returns, or what it raised as Failed: an error that cannot be pickled is in words."""
    result = _attempt(work, job)
    if isinstance(result, Failed):
        try:
            pickle.loads(pickle.dumps(result))
        except Exception:
            return Failed(MusicComposerError(f"{type(result.error).__name__}: {result.error}"))
    return result


def _shown(job: tuple[Any, ...]) -> str:
    """What a job is about, for a message."""
    return str(job[0])[:200] if job else ""


@dataclasses.dataclass
class _Worker:
    process: SpawnProcess
    pipe: connection.Connection
    job: int


def _in_processes(function: Work, jobs: Jobs, processes: int, check: Callable[[], None]) -> Iterator[tuple[int, Any]]:
    """Yields the number of each job and what was returned, as soon as it is there, or `Died`."""
    waiting = iter(range(len(jobs)))
    workers: list[_Worker] = []
    try:
        for number in waiting:
            workers.append(_started(function, jobs, number))
            if len(workers) == min(processes, len(jobs)):
                break
        while workers:
            ready = connection.wait([worker.pipe for worker in workers], POLL_SECONDS)
            check()  # then the workers are being ended, and no new ones are to begin
            for worker in [each for each in workers if each.pipe in ready]:
                number = worker.job
                result = _received(worker)
                check()
                following = next(waiting, None)
                if following is None or isinstance(result, Died):
                    workers.remove(worker)
                    _end([worker])
                    if following is not None:
                        workers.append(_started(function, jobs, following))
                else:
                    worker.job = following
                    _send(worker, jobs[following])
                yield number, result
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
