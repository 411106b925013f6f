"""How clones differ from their parents: mutation of weights, and crossover of nodes.

The mutations are those of bach_generator (R. Baltrusch, 2021), computed for all networks at once.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.genetic.networks import PERCENT, Networks, hundredths


def mutate(networks: Networks, kind: str, divergence: float, rng: np.random.Generator) -> Networks:
    """The networks with changed weights.

    kind: `noise` adds normal numbers with the standard deviation `divergence`; `factor` changes each weight by up to
    that share, in hundredths of it; `selection` draws that share of each node's weights anew, at least one.
    """
    if not divergence:
        return networks
    changed = []
    for weights in networks.weights:
        if kind == "noise":
            changed.append(weights + divergence * rng.standard_normal(weights.shape))
        elif kind == "factor":
            share = rng.integers(-PERCENT, PERCENT, weights.shape, endpoint=True) / PERCENT
            changed.append(weights * (1 + share * divergence))
        else:
            count = min(weights.shape[-1], max(1, round(divergence * weights.shape[-1])))
            # A random subset of each node's weights: those of the lowest random ranks.
            order = np.argsort(rng.random(weights.shape), axis=-1)
            changed.append(np.where(order < count, hundredths(weights.shape, rng), weights))
    return dataclasses.replace(networks, weights=tuple(changed))


def crossover(networks: Networks, others: Networks, share: float, rng: np.random.Generator) -> Networks:
    """Takes about half of the nodes of some networks from others (uniform crossover, Syswerda 1989).

    share: of the networks that are crossed.
    """
    chosen = rng.random(len(networks)) < share
    pairs = zip(networks.weights, others.weights, strict=True)
    mixed = [
        np.where(chosen[:, None, None] & (rng.random((*one.shape[:2], 1)) < 0.5), other, one) for one, other in pairs
    ]
    return dataclasses.replace(networks, weights=tuple(mixed))
