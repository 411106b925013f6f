"""Evolution: the best networks are selected, their clones mutated and rated. No network is rated twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from music_composer import parallel
from music_composer.genetic.fitness import Task, ratings
from music_composer.genetic.mutation import crossover, mutate
from music_composer.genetic.networks import Networks, joined, random_networks
from music_composer.genetic.options import EvolveOptions
from music_composer.stopping import check as not_stopped

BATCH = 96  # networks that are mutated and rated at a time: few enough for a core's cache, enough for threads
MIN_THREADED = 10_000  # networks
Work = Callable[[np.ndarray, int], tuple[np.ndarray, ...]]


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
    parallel: bool = False,
    check: Callable[[], None] = not_stopped,
) -> Iterator[Generation]:
    """Yields the generations. start: networks to begin with, instead of random ones.

    The same seed gives the same networks, in parallel or not: each BATCH of them has a random generator of its own.
    check: is called before each batch; what it raises ends the evolution.
    """
    population = start or random_networks(options, np.random.default_rng([seed, 0]))
    # Small populations are slower with threads.
    threads = parallel and max(len(population), options.select_models * (1 + options.clones)) >= MIN_THREADED
    rated = _in_parts(len(population), threads, lambda part, _: (ratings(population.take(part), task),), check)[0]
    for number in range(1, options.generations + 1):
        rng = np.random.default_rng([seed, number])
        chosen = _selected(rated, options, rng)
        best, rated = population.take(chosen), rated[chosen]
        yield Generation(number, best, rated)
        if number < options.generations:
            population, more = _clones(best, task, options, [seed, number], threads, check)
            rated = np.concatenate([rated, more])


def _clones(
    best: Networks,
    task: Task,
    options: EvolveOptions,
    seed: list[int],
    threads: bool,
    check: Callable[[], None],
) -> tuple[Networks, np.ndarray]:
    """The selected networks together with their clones, and the ratings of the clones."""
    # Every selected network gets the same number of clones.
    parents = np.tile(np.arange(len(best)), options.clones)
    if not len(parents):
        return best, np.zeros(0)

    def make(part: np.ndarray, number: int) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng([*seed, number])
        made = best.take(parents[part])
        if options.crossover:
            made = crossover(made, best.take(rng.integers(len(best), size=len(part))), options.crossover, rng)
        made = mutate(made, options.mutation, options.weight_divergence, rng)
        return (*made.weights, ratings(made, task))

    *weights, rated = _in_parts(len(parents), threads, make, check)
    return joined(best, dataclasses.replace(best, weights=tuple(weights))), rated


def _in_parts(count: int, threads: bool, work: Work, check: Callable[[], None]) -> list[np.ndarray]:
    """Runs `work` on BATCH indices at a time and the number of the batch, and concatenates its arrays."""
    parts = [np.arange(at, min(at + BATCH, count)) for at in range(0, count, BATCH)]

    executor: parallel.Executor = parallel.Threads() if threads else parallel.Sequential()
    found = parallel.map(work, list(zip(parts, range(len(parts)), strict=True)), executor, check=check)
    return [np.concatenate(arrays) for arrays in zip(*found, strict=True)]


def _selected(rated: np.ndarray, options: EvolveOptions, rng: np.random.Generator) -> np.ndarray:
    """Indices of the selected networks, the best first. The best network is always among them."""
    order = np.argsort(-rated, kind="stable")
    count = min(options.select_models, len(order))
    if not options.tournament:
        return order[:count]
    # Ranks: in each tournament the lowest of the drawn ranks wins.
    winners = rng.integers(len(order), size=(count - 1, options.tournament)).min(axis=1) if count > 1 else []
    return order[np.sort(np.concatenate([[0], winners]).astype(int))]
