"""Ranks as actors of Ray, placed together."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from music_composer import parallel
from music_composer.cluster.ranks import Main, Place, RankLostError
from music_composer.context import Context, Progress
from music_composer.errors import ClusterError
from music_composer.stopping import Stopped

PLACE_SECONDS = 30.0  # until there must be room for all ranks
POLL_SECONDS = 0.2  # between two looks at what they say
END_SECONDS = 30.0  # until killed ranks must be gone
OTHERS = 20  # processes that may have to be passed over until a fresh one is found


def run(
    ray: Any,
    main: Main,
    count: int,
    arguments: Sequence[Any],
    context: Context,
    require_head: Callable[[], None],
) -> Any:
    """See `ranks.RankExecutor.run_ranks`. require_head: raises ClusterError where the cluster is gone."""
    with _placed(ray, count) as start:
        actors: list[Any] = []
        running: list[Any] = []
        try:
            for rank in range(count):
                actors.append(_fresh(ray, start, rank))
            machines = ray.get([actor.machine.remote() for actor in actors])
            places = _places(machines)
            running = [actor.run.remote(main, each, arguments) for actor, each in zip(actors, places, strict=True)]
            return _followed(ray, actors, running, context, require_head)
        except ray.exceptions.RayError as error:
            raise RankLostError(f"a process that trained has ended: {str(error).splitlines()[0][:200]}") from error
        finally:
            for actor in actors:
                ray.kill(actor)
            # Nobody may write the run folder any more when the next ones begin.
            ray.wait(running, num_returns=len(running), timeout=END_SECONDS) if running else None


def _followed(
    ray: Any, actors: Sequence[Any], running: Sequence[Any], context: Context, require_head: Callable[[], None]
) -> Any:
    """Passes on what rank 0 says until all have ended, and returns its result."""
    told = False
    waiting = list(running)
    while waiting:
        ready, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=POLL_SECONDS)
        _pass_on(ray.get(actors[0].events.remote()), context)
        for result in ray.get(ready):
            if isinstance(result, parallel.Failed) and isinstance(result.error, BaseException):
                raise result.error
        if context.stop_requested() and not told:
            ray.get(actors[0].stop.remote())
            told = True
        require_head()
    return ray.get(running[0])


def _pass_on(events: Sequence[Any], context: Context) -> None:
    for event in events:
        if isinstance(event, Progress):
            context.progress(event)
        elif isinstance(event, Path):
            context.written(event)
        else:
            context.say(event)


@contextlib.contextmanager
def _placed(ray: Any, count: int) -> Iterator[Callable[[int], Any]]:
    """Room for all ranks at once; gives what starts one. Raises ClusterError where there is none."""
    from ray.util import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    needs = {"CPU": 1} | ({"GPU": 1} if gpus else {})
    group = placement_group([needs] * count, strategy="SPREAD")
    try:
        if not group.wait(PLACE_SECONDS):
            kind = "GPUs" if gpus else "cores"
            raise ClusterError(f"the cluster has no {count} free {kind} for a training: give fewer --workers, or wait")

        def start(rank: int) -> Any:
            strategy = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank)
            actor = ray.remote(_Rank).options(
                num_cpus=1, num_gpus=gpus, max_restarts=0, max_concurrency=3, scheduling_strategy=strategy
            )
            return actor.remote(str(Path.cwd()))

        yield start
    finally:
        remove_placement_group(group)


def _fresh(ray: Any, start: Callable[[int], Any], rank: int) -> Any:
    """A rank in a process that has not loaded TensorFlow, which connects to others only at its beginning."""
    for _ in range(OTHERS):
        actor = start(rank)
        if ray.get(actor.is_fresh.remote()):
            return actor
        ray.kill(actor)
    raise ClusterError("the cluster gives no fresh process for a training: try again")


def _places(machines: Sequence[tuple[str, int, int]]) -> list[Place]:
    """machines: host, free port and cores of each rank. Those on one machine share its cores."""
    beside = Counter(host for host, _, _ in machines)
    addresses = tuple(f"{host}:{port}" for host, port, _ in machines)
    return [
        Place(rank, addresses, max(1, cores // beside[host]) if beside[host] > 1 else 0)
        for rank, (host, _, cores) in enumerate(machines)
    ]


class _Rank:
    """An actor. `run` takes long; the others answer meanwhile, in threads of their own."""

    def __init__(self, folder: str) -> None:
        os.chdir(folder)
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stop = threading.Event()

    def is_fresh(self) -> bool:
        return "tensorflow" not in sys.modules

    def machine(self) -> tuple[str, int, int]:
        """Returns host, a free port, and the number of cores."""
        from ray.util import get_node_ip_address

        host = get_node_ip_address()
        with socket.create_server((host, 0)) as free:
            return host, free.getsockname()[1], os.cpu_count() or 1

    def run(self, main: Main, place: Place, arguments: Sequence[Any]) -> Any:
        """Returns the result, or what was raised as parallel.Failed."""
        tell = self._events.put if place.rank == 0 else _nowhere
        try:
            return parallel.attempted(main, place, Context(tell, tell, self._stop.is_set, tell), *arguments)
        except Stopped as stopped:
            return parallel.Failed(stopped)

    def stop(self) -> None:
        self._stop.set()

    def events(self) -> list[Any]:
        """Returns lines, reports of progress and paths that have come since the last call."""
        return [self._events.get() for _ in range(self._events.qsize())]


def _nowhere(event: object) -> None:
    """Takes what only rank 0 tells."""
