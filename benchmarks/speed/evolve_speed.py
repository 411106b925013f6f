"""Seconds of a generation, and the same by a loop over networks and notes.

    python benchmarks/speed/evolve_speed.py [--symbols 500] [--models 100 1000 10000] [--repeats 5]

A generation is what the defaults of `music-composer midi evolve` do: a fifth of the networks is selected, four clones
of each are changed and rated. The loop does the same as bach_generator's matrix layers: four small products for each
note, a quantiser of lists and dictionaries, SciPy's correlation, a copy of each clone; it rates the survivors again. It
is measured on 20 networks and counted up. First, both play and rate 40 random networks: they must agree.
"""

import argparse
import collections
import copy
import time

import numpy as np
import scipy.stats

from music_composer.genetic.evolution import evolve
from music_composer.genetic.fitness import Task, generated_codes, ratings, task_of
from music_composer.genetic.networks import Networks, random_networks
from music_composer.genetic.options import EvolveOptions
from music_composer.genetic.themes import windows

LOOPED = 20  # networks that the loop is measured on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--models", type=int, nargs="*", default=[100, 1000, 10000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    codes = np.cumsum(rng.integers(-2, 3, options.symbols)) % 30
    task = task_of(codes, windows([codes], EvolveOptions().inputs))
    _agree(task)
    print("| networks | generation | loop | ratio | with --parallel | ratio |\n|---|---|---|---|---|---|")
    for count in options.models:
        chosen = EvolveOptions(generations=6, models=count, select_models=count // 5)
        ours, parallel = [], []
        for _ in range(options.repeats):  # taking turns
            ours.append(_generation(task, chosen, False))
            parallel.append(_generation(task, chosen, True))
        one, both, loop = float(np.median(ours)), float(np.median(parallel)), _loop(task, chosen)
        print(
            f"| {count} | {1000 * one:.1f} ms | {1000 * loop:.0f} ms | {loop / one:.0f} x | {1000 * both:.1f} ms | "
            f"{one / both:.2f} x |",
            flush=True,
        )


def _generation(task: Task, options: EvolveOptions, parallel: bool) -> float:
    """Seconds from one generation to the next; the first, in which all are rated, is left out."""
    generations = evolve(task, options, 1, threads=parallel)
    next(generations)
    started = time.perf_counter()
    count = len(list(generations))
    return (time.perf_counter() - started) / count


def _agree(task: Task) -> None:
    for kind in ("matrix", "object"):
        networks = random_networks(EvolveOptions(models=20, layer_type=kind), np.random.default_rng(1))
        rated, notes = ratings(networks, task), generated_codes(networks, task)
        worst, differ = 0.0, 0
        for i in range(len(networks)):
            found = _quantised(_outputs(networks, i, task), task)
            differ += int(np.sum(np.array(found) != notes[i]))
            worst = max(worst, abs(float(scipy.stats.pearsonr(task.codes, found)[0]) - rated[i]))
        print(f"{kind}: 20 random networks, {differ} notes differ, ratings differ by {worst:.1e} at most")
    print()


def _loop(task: Task, options: EvolveOptions) -> float:
    """Seconds of a generation, counted up from a few networks."""
    networks = random_networks(EvolveOptions(models=LOOPED), np.random.default_rng(1))
    started = time.perf_counter()
    for i in range(LOOPED):
        scipy.stats.pearsonr(task.codes, _quantised(_outputs(networks, i, task), task))
    rating = (time.perf_counter() - started) / LOOPED
    started = time.perf_counter()
    for i in range(LOOPED):
        for weights in copy.deepcopy([each[i] for each in networks.weights]):
            weights += np.random.normal(scale=0.05, size=weights.shape)
    cloning = (time.perf_counter() - started) / LOOPED
    return rating * options.models + cloning * options.select_models * options.clones


def _outputs(networks: Networks, number: int, task: Task) -> list[float]:
    layers = [each[number] for each in networks.weights]
    window: collections.deque[int] = collections.deque(maxlen=networks.inputs)
    found = []
    for code in task.codes:
        window.append(int(code))
        values = np.concatenate([np.array(window, np.float64), np.zeros(networks.inputs - len(window))])[None]
        for weights in layers:
            values = np.dot(values, weights) / (len(weights) if networks.kind == "object" else 1)
        found.append(float(values[0, 0]))
    return found


def _quantised(outputs: list[float], task: Task) -> list[int]:
    least = min(outputs)
    grounded = [each - least for each in outputs]
    scaling = max(grounded) / len(task.ranked)
    levels = [round(each / scaling) if scaling else 0 for each in grounded]
    order = [level for level, _ in collections.Counter(levels).most_common()]
    ranked = [*task.ranked.tolist(), *[0] * len(order)]
    mapping = dict(zip(order, ranked, strict=False))
    return [mapping[level] for level in levels]


if __name__ == "__main__":
    main()
