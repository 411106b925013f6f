"""Ray as an executor. Only the modules `ray_*` of this package import it, when a job is first run.

Every job is a function of a module and plain data, and runs in a worker process with one BLAS thread. A worker that
dies, or a machine that goes, costs the jobs that it was at: they are run again elsewhere, TRIES times at most.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from music_composer import parallel
from music_composer.cluster import ranks, ray_ranks
from music_composer.cluster.bundles import Bundles
from music_composer.cluster.options import ClusterOptions
from music_composer.cluster.ray_session import Head, joined, leave
from music_composer.context import Context
from music_composer.errors import ClusterError
from music_composer.quiet import quiet_libraries

POLL_SECONDS = 0.2  # between two looks at whether to stop
TRIES = 4
SMALL = (int, float, str, Path, type(None))  # cheaper to send again
# Jobs of one machine share its GPU: each takes the memory that it needs, and not nearly all of it.
SHARED_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


@dataclasses.dataclass(frozen=True)
class Lost(parallel.Died):
    """Instead of a result: every worker process that was at the job ended."""

    def __str__(self) -> str:
        return f"{TRIES} worker processes, one after the other, ended while they were at it"


@dataclasses.dataclass(frozen=True)
class Ray:
    """Runs jobs on the workers of a cluster. It joins the cluster when the first job is run.

    `close` leaves it, and ends an engine that was started for this process.
    """

    options: ClusterOptions

    def run(
        self,
        work: parallel.Work,
        jobs: parallel.Jobs,
        done: parallel.Done,
        check: Callable[[], None],
        stop: Callable[[], None],
    ) -> None:
        """See `parallel.Executor`. Raises ClusterError where the cluster cannot be used."""
        with quiet_libraries():  # Ray's lines are not for the user
            self._run(joined(self.options), work, jobs, done, check, stop)

    def rank_count(self) -> int:
        """See `ranks.RankExecutor`."""
        with quiet_libraries():
            ray = joined(self.options)
            gpus = int(ray.cluster_resources().get("GPU", 0))
            machines = sum(node["Alive"] and node["Resources"].get("CPU", 0) >= 1 for node in ray.nodes())
        wanted = min(gpus or machines, self.options.workers or gpus or machines)
        # One process on a machine without GPUs is what the command itself is.
        return wanted if wanted > 1 or gpus else 0

    def run_ranks(self, main: ranks.Main, count: int, arguments: Sequence[Any], context: Context) -> Any:
        """See `ranks.RankExecutor`."""
        with quiet_libraries():
            ray = joined(self.options)
            return ray_ranks.run(ray, main, count, arguments, context, Head(self.options.address or "").require)

    def close(self) -> None:
        """Ends what `run` has begun. Nothing happens where no job was run."""
        with quiet_libraries():
            leave()

    def _run(
        self,
        ray: Any,
        work: parallel.Work,
        jobs: parallel.Jobs,
        done: parallel.Done,
        check: Callable[[], None],
        stop: Callable[[], None],
    ) -> None:
        workers = self.options.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        task = ray.remote(num_cpus=1, max_retries=TRIES - 1)(_attempt)
        here, bundles, running = str(Path.cwd()), Bundles(len(jobs), workers), dict[Any, list[int]]()
        head, shared = Head(self.options.address or ""), _Shared(ray)
        try:
            while True:
                while len(running) < workers and (numbers := bundles.following()):
                    check()
                    bundle = [shared.references(jobs[number]) for number in numbers]
                    lengths = [len(job) for job in bundle]
                    running[task.remote(here, work, lengths, *itertools.chain(*bundle))] = numbers
                if not running:
                    return
                ready, _ = ray.wait(list(running), timeout=POLL_SECONDS)
                check()
                head.require()
                for reference in ready:
                    numbers = running.pop(reference)
                    try:
                        results, seconds = ray.get(reference)
                    except ray.exceptions.RayError:
                        head.require(now=True)  # it may be the cluster that is lost
                        if len(numbers) > 1:
                            bundles.again(numbers)
                        else:
                            done(numbers[0], parallel.Failed(Lost(0)))
                        continue
                    bundles.took(len(numbers), seconds)
                    for number, result in zip(numbers, results, strict=True):
                        done(number, result)
        except ClusterError:
            raise  # there is nobody left who could end them
        except BaseException:
            stop()
            for reference in running:
                ray.cancel(reference, force=True)
            raise


class _Shared:
    """Sends what jobs have in common to each machine once: an argument that is the object that the job before had."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self._before: tuple[Any, ...] = ()
        self._sent: dict[int, tuple[Any, Any]] = {}  # object and reference, by its place among the arguments

    def references(self, job: tuple[Any, ...]) -> list[Any]:
        """Returns the arguments of a job, with references in place of what is shared."""
        found = list(job)
        for place, (value, before) in enumerate(zip(job, self._before, strict=False)):
            if value is not before or isinstance(value, SMALL) or callable(value):
                continue
            if place not in self._sent or self._sent[place][0] is not value:
                self._sent[place] = value, self._ray.put(value)
            found[place] = self._sent[place][1]
        self._before = job
        return found


def _attempt(folder: str, work: parallel.Work, lengths: Sequence[int], *arguments: Any) -> tuple[list[Any], float]:
    """Jobs in a worker process. folder: that of the command, from which paths start. lengths: of their arguments.

    Returns their results, and the seconds that all of them took.
    """
    os.chdir(folder)
    for name, value in SHARED_GPU.items():
        os.environ.setdefault(name, value)
    begun, rest = time.monotonic(), iter(arguments)
    results = [parallel.attempted(work, *itertools.islice(rest, length)) for length in lengths]
    return results, time.monotonic() - begun
