"""Evolution: the best networks are selected, their clones mutated and rated. No network is rated twice."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from music_composer import parallel
from music_composer.genetic.fitness import Task, ratings
from music_composer.genetic.mutation import crossover, mutate
from music_composer.genetic.networks import Networks, joined, random_networks
from music_composer.genetic.options import EvolveOptions
from music_composer.stopping import check as not_stopped

BATCH = 96  # networks that are mutated and rated at a time: few enough for a core's cache, enough for threads
MIN_THREADED = 10_000  # networks
UNIT = 100  # batches that a worker process is given at a time
Arrays = tuple[np.ndarray, ...]


@dataclasses.dataclass(frozen=True)
class Generation:
    """number: counted from 1. networks: the selected ones, the best first; ratings: theirs, float (networks,)."""

    number: int
    networks: Networks
    ratings: np.ndarray


def evolve(
    task: Task,
    options: EvolveOptions,
    seed: int,
    start: Networks | None = None,
    threads: bool = False,
    check: Callable[[], None] = not_stopped,
    executor: parallel.Executor | None = None,
) -> Iterator[Generation]:
    """Yields the generations. start: networks to begin with, instead of random ones.

    The same seed gives the same networks, wherever they are made: each BATCH of them has a random generator of its own.
    threads: use all cores. check: is called before each batch; what it raises ends the evolution. executor: of worker
    processes, which are given UNIT batches at a time.
    """
    population = start or random_networks(options, np.random.default_rng([seed, 0]))
    # Small populations are slower with threads.
    if executor is None and threads:
        enough = max(len(population), options.select_models * (1 + options.clones)) >= MIN_THREADED
        executor = parallel.Threads() if enough else None
    run = _Run(executor, check)
    rated = run.in_batches(len(population), lambda batch: population.take(batch), _rated, task)[0]
    for number in range(1, options.generations + 1):
        rng = np.random.default_rng([seed, number])
        chosen = _selected(rated, options, rng)
        best, rated = population.take(chosen), rated[chosen]
        yield Generation(number, best, rated)
        if number < options.generations:
            population, more = _clones(best, task, options, [seed, number], run)
            rated = np.concatenate([rated, more])


def _clones(
    best: Networks, task: Task, options: EvolveOptions, seed: list[int], run: _Run
) -> tuple[Networks, np.ndarray]:
    """The selected networks together with their clones, and the ratings of the clones."""
    # Every selected network gets the same number of clones.
    parents = np.tile(np.arange(len(best)), options.clones)
    if not len(parents):
        return best, np.zeros(0)
    others = best if options.crossover else None
    *weights, rated = run.in_batches(
        len(parents), lambda batch: best.take(parents[batch]), _cloned, task, others, options, seed
    )
    return joined(best, dataclasses.replace(best, weights=tuple(weights))), rated


def _rated(networks: Networks, number: int, task: Task) -> Arrays:
    return (ratings(networks, task),)


def _cloned(
    made: Networks, number: int, task: Task, others: Networks | None, options: EvolveOptions, seed: Sequence[int]
) -> Arrays:
    """Weights and ratings of clones. number: of the batch, for its random generator. others: for crossover."""
    rng = np.random.default_rng([*seed, number])
    if others:
        made = crossover(made, others.take(rng.integers(len(others), size=len(made))), options.crossover, rng)
    made = mutate(made, options.mutation, options.weight_divergence, rng)
    return (*made.weights, ratings(made, task))


@dataclasses.dataclass(frozen=True)
class _Run:
    """What runs batches: threads or worker processes, or this thread where `executor` is None."""

    executor: parallel.Executor | None
    check: Callable[[], None]

    def in_batches(
        self, count: int, take: Callable[[np.ndarray], Networks], work: Callable[..., Arrays], *shared: Any
    ) -> list[np.ndarray]:
        """Calls work(networks, number, *shared) for BATCH networks at a time, and concatenates its arrays.

        take: gives the networks with some of `count` indices.
        """
        batches = [np.arange(at, min(at + BATCH, count)) for at in range(0, count, BATCH)]
        if self.executor is None or isinstance(self.executor, parallel.Threads):

            def made(number: int) -> Arrays:
                return work(take(batches[number]), number, *shared)

            numbers = [(number,) for number in range(len(batches))]
            found = parallel.map(made, numbers, self.executor or parallel.Sequential(), check=self.check)
        else:
            units = _Units(batches, take, work, shared)
            found = list(itertools.chain(*parallel.map(_unit, units, self.executor, check=self.check)))
        return [np.concatenate(arrays) for arrays in zip(*found, strict=True)]


@dataclasses.dataclass(frozen=True)
class _Units(Sequence[tuple[Any, ...]]):
    """Jobs of UNIT batches. The networks of one are copied when it is sent, so that they are in memory once."""

    batches: Sequence[np.ndarray]
    take: Callable[[np.ndarray], Networks]
    work: Callable[..., Arrays]
    shared: tuple[Any, ...]

    def __len__(self) -> int:
        return -(-len(self.batches) // UNIT)

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        first = number * UNIT
        return [self.take(batch) for batch in self.batches[first : first + UNIT]], first, self.work, self.shared


def _unit(
    batches: Sequence[Networks], first: int, work: Callable[..., Arrays], shared: tuple[Any, ...]
) -> list[Arrays]:
    return [work(networks, first + i, *shared) for i, networks in enumerate(batches)]


def _selected(rated: np.ndarray, options: EvolveOptions, rng: np.random.Generator) -> np.ndarray:
    """Indices of the selected networks, the best first. The best network is always among them."""
    order = np.argsort(-rated, kind="stable")
    count = min(options.select_models, len(order))
    if not options.tournament:
        return order[:count]
    # Ranks: in each tournament the lowest of the drawn ranks wins.
    winners = rng.integers(len(order), size=(count - 1, options.tournament)).min(axis=1) if count > 1 else []
    return order[np.sort(np.concatenate([[0], winners]).astype(int))]
