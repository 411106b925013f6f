"""Ranks as actors of Ray, placed together."""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
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
    require_head: Callable[..., None],
) -> Any:
    """See `ranks.RankExecutor.run_ranks`. require_head: raises ClusterError where the cluster is gone."""
    group = _placed(ray, count)
    actors: list[Any] = []
    running: list[Any] = []
    gone = False
    try:
        for rank in range(count):
            actors.append(_fresh(ray, group, rank))
        places = _places(ray.get([actor.machine.remote() for actor in actors], timeout=PLACE_SECONDS))
        sent = ray.put(arguments)
        running = [actor.run.remote(main, each, sent) for actor, each in zip(actors, places, strict=True)]
        return _followed(ray, actors, running, context, require_head)
    except ray.exceptions.RayError as error:
        require_head(now=True)  # it may be the cluster that is lost
        raise RankLostError(f"a process that trained has ended: {str(error).splitlines()[0][:200]}") from error
    except ClusterError as error:
        gone = not isinstance(error, RankLostError)
        raise
    finally:
        if not gone:  # else there is nobody left who could end them
            _end(ray, group, actors, running)


def _followed(
    ray: Any, actors: Sequence[Any], running: Sequence[Any], context: Context, require_head: Callable[..., None]
) -> Any:
    """Passes on what rank 0 says until all have ended, and returns its result."""
    told, stopped = False, None
    waiting = list(running)
    while waiting:
        ready, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=POLL_SECONDS)
        _pass_on(ray.get(actors[0].events.remote()), context)
        for result in ray.get(ready):
            if not isinstance(result, parallel.Failed):
                continue
            if not isinstance(result.error, Stopped):
                raise result.error  # type: ignore[misc]  # it is no Died
            stopped = result.error  # only when all have ended: rank 0 may still be saving
        if context.stop_requested() and not told:
            actors[0].stop.remote()
            told = True
        require_head()
    if stopped:
        raise stopped
    return ray.get(running[0])


def _end(ray: Any, group: Any, actors: Sequence[Any], running: Sequence[Any]) -> None:
    """Ends all ranks. Nobody may write the run folder any more when the next ones begin."""
    from ray.util import remove_placement_group

    for actor in actors:
        ray.kill(actor)
    if running:
        ray.wait(list(running), num_returns=len(running), timeout=END_SECONDS)
    remove_placement_group(group)


def _pass_on(events: Sequence[Any], context: Context) -> None:
    for event in events:
        if isinstance(event, Progress):
            context.progress(event)
        elif isinstance(event, Path):
            context.written(event)
        else:
            context.say(event)


def _placed(ray: Any, count: int) -> Any:
    """Returns room for all ranks at once, a placement group. Raises ClusterError where there is none."""
    from ray.util import placement_group, remove_placement_group

    gpus = ray.cluster_resources().get("GPU", 0)
    group = placement_group([{"CPU": 1} | ({"GPU": 1} if gpus else {})] * count, strategy="SPREAD")
    if group.wait(PLACE_SECONDS):
        return group
    remove_placement_group(group)
    kind = "GPUs" if gpus else "cores"
    raise ClusterError(f"the cluster has no {count} free {kind} for a training: give fewer --workers, or wait")


def _fresh(ray: Any, group: Any, rank: int) -> Any:
    """A rank in a process that has not loaded TensorFlow, which connects to others only at its beginning."""
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    strategy = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank)
    gpus = group.bundle_specs[rank].get("GPU", 0)
    kind = ray.remote(_Rank).options(
        num_cpus=1, num_gpus=gpus, max_restarts=0, max_concurrency=3, scheduling_strategy=strategy
    )
    for _ in range(OTHERS):
        actor = kind.remote(str(Path.cwd()))
        if ray.get(actor.is_fresh.remote(), timeout=PLACE_SECONDS):
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
