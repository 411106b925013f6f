"""Evolution: no network is lost or rated twice, and a seed determines everything."""

import dataclasses

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.genetic import evolution
from music_composer.genetic.evolution import evolve
from music_composer.genetic.fitness import task_of
from music_composer.genetic.mutation import crossover, mutate
from music_composer.genetic.networks import random_networks
from music_composer.genetic.options import EvolveOptions
from music_composer.genetic.themes import windows

SMALL = EvolveOptions(generations=6, models=30, inputs=4, layer_size=5, select_models=5, clones=5)


def some_task(inputs=4, symbols=60):
    codes = np.random.default_rng(0).integers(0, 9, symbols)
    return task_of(codes, windows([codes], inputs))


def flat(networks):
    return np.concatenate([each.reshape(len(networks), -1) for each in networks.weights], axis=1)


@pytest.mark.parametrize("kind", ["matrix", "object"])
def test_the_best_never_gets_worse_and_evolution_finds_better(kind):
    options = dataclasses.replace(SMALL, layer_type=kind, generations=30, weight_divergence=0.3)
    best = [generation.ratings[0] for generation in evolve(some_task(), options, 1)]
    assert all(a <= b for a, b in zip(best, best[1:], strict=False))
    assert best[-1] > best[0] + 0.02


def test_the_selected_are_the_best_in_order():
    for generation in evolve(some_task(), SMALL, 1):
        assert len(generation.networks) == 5
        assert (np.diff(generation.ratings) <= 0).all()


def test_survivors_are_not_rated_again(monkeypatch):
    counted = []
    rate = evolution.ratings
    monkeypatch.setattr(evolution, "ratings", lambda some, task: counted.append(len(some)) or rate(some, task))
    list(evolve(some_task(), SMALL, 1))
    assert sum(counted) == 30 + 5 * 25


def test_one_seed_decides_everything_parallel_or_not(monkeypatch):
    monkeypatch.setattr(evolution, "MIN_THREADED", 1)
    monkeypatch.setattr(evolution, "BATCH", 7)
    options = dataclasses.replace(SMALL, crossover=0.5, tournament=3)
    one, two, other = (list(evolve(some_task(), options, seed, threads=p))[-1] for seed, p in
                       ((1, False), (1, True), (2, False)))  # fmt: skip
    assert np.array_equal(flat(one.networks), flat(two.networks))
    assert np.array_equal(one.ratings, two.ratings)
    assert not np.array_equal(flat(one.networks), flat(other.networks))


def test_no_two_clones_are_alike(monkeypatch):
    monkeypatch.setattr(evolution, "BATCH", 5)  # as many as are selected: each has one clone in every part
    counted = []
    rate = evolution.ratings
    monkeypatch.setattr(evolution, "ratings", lambda some, task: counted.append(flat(some)) or rate(some, task))
    list(evolve(some_task(), dataclasses.replace(SMALL, generations=2), 1))
    made = np.concatenate(counted)
    assert len(np.unique(made, axis=0)) == len(made) == 30 + 25


def test_evolution_continues_from_given_networks():
    first = list(evolve(some_task(), SMALL, 1))[-1]
    second = next(iter(evolve(some_task(), SMALL, 2, start=first.networks)))
    assert second.ratings == pytest.approx(first.ratings)


def test_tournaments_keep_the_best_and_admit_others():
    options = dataclasses.replace(SMALL, tournament=2, generations=1)
    best, _ = (next(iter(evolve(some_task(), o, 1))) for o in (options, SMALL))
    plainly = next(iter(evolve(some_task(), SMALL, 1)))
    assert best.ratings[0] == plainly.ratings[0]
    assert best.ratings.sum() < plainly.ratings.sum()


def test_mutation_by_factor_keeps_signs_and_zeros_and_stays_within_the_share():
    networks = random_networks(dataclasses.replace(SMALL, layer_type="object"), np.random.default_rng(0))
    networks.weights[0][0, 0, 0] = 0.0
    before, after = flat(networks), flat(mutate(networks, "factor", 0.1, np.random.default_rng(1)))
    assert (after[before == 0] == 0).all()
    ratio = after[before > 0] / before[before > 0]
    assert ratio.min() >= 0.9
    assert ratio.max() <= 1.1
    assert ratio.std() > 0.03


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.4, 2), (1.0, 5)])
def test_mutation_by_selection_draws_a_share_of_each_nodes_weights_anew(share, count):
    networks = random_networks(SMALL, np.random.default_rng(0))
    after = mutate(networks, "selection", share, np.random.default_rng(1))
    changed = (after.weights[1] != networks.weights[1]).sum(axis=-1)
    assert changed.max() == count
    assert (after.weights[1] >= 0).all()
    assert (after.weights[1] <= 1).all()


def test_no_divergence_changes_nothing():
    networks = random_networks(SMALL, np.random.default_rng(0))
    for how in ("noise", "factor", "selection"):
        assert np.array_equal(flat(mutate(networks, how, 0.0, np.random.default_rng(1))), flat(networks))


def test_crossover_takes_whole_nodes_from_the_other_parent():
    rng = np.random.default_rng(0)
    ones, others = random_networks(SMALL, rng), random_networks(SMALL, rng)
    mixed = crossover(ones, others, 1.0, rng).weights[1]
    from_one, from_other = ((mixed == each.weights[1]).all(axis=-1) for each in (ones, others))
    assert (from_one | from_other).all()
    assert 0.3 < from_other.mean() < 0.7
    assert np.array_equal(flat(crossover(ones, others, 0.0, rng)), flat(ones))


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_an_activation_makes_networks_more_than_filters(activation):
    """The output for a sum is not the sum of the outputs."""
    from music_composer.genetic.networks import forward

    networks = random_networks(dataclasses.replace(SMALL, activation=activation), np.random.default_rng(0))
    centred = dataclasses.replace(networks, weights=tuple(each - 0.5 for each in networks.weights))
    inputs = np.array([[0, 0, 0, 0], [8, 0, 0, 0], [0, 8, 0, 0], [8, 8, 0, 0.0]])
    nought, one, two, both = forward(centred, inputs).T
    assert np.abs(both - one - two + nought).max() > 1e-7


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"models": 0}, "--models"), ({"select_models": 101}, "--select-models 101 of --models 100"),
        ({"write_interval": 0}, "--write-interval"), ({"generations": 0}, "--generations"), ({"inputs": 0}, "--inputs"),
        ({"crossover": 1.5}, "--crossover"), ({"weight_divergence": -1}, "--weight-divergence"),
        ({"weight_divergence": float("nan")}, "--weight-divergence"),
    ],
)  # fmt: skip
def test_invalid_options_are_refused(fields, said):
    with pytest.raises(OptionError, match=said):
        EvolveOptions(**fields)
