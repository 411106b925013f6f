"""A population of small networks as one set of arrays: what they answer, how they begin, and how clones differ.

Networks and their changes are those of bach_generator (R. Baltrusch, 2021), all of them at once and not node by node.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.genetic.options import EvolveOptions

PERCENT = 100  # weights of the object kind, and their changes, come in hundredths


@dataclasses.dataclass(frozen=True)
class Networks:
    """weights: of each layer, float64 (networks, from, to), the last `to` being 1.

    kind: `object`, where a node is the mean of what it is given, or `matrix`, where it is the sum and the last layer
    is one more weight. activation: of the hidden layers.
    """

    kind: str
    activation: str
    weights: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.weights[0])

    @property
    def inputs(self) -> int:
        return self.weights[0].shape[1]

    def some(self, which: np.ndarray) -> Networks:
        return dataclasses.replace(self, weights=tuple(each[which] for each in self.weights))


def joined(first: Networks, second: Networks) -> Networks:
    pairs = zip(first.weights, second.weights, strict=True)
    return dataclasses.replace(first, weights=tuple(np.concatenate(pair) for pair in pairs))


def random_networks(options: EvolveOptions, rng: np.random.Generator) -> Networks:
    """Weights even from 0 to 1, in hundredths for the object kind."""
    sizes = [options.inputs, *[options.layer_size] * options.layers, 1]
    sizes += [1] if options.layer_type == "matrix" else []
    shapes = [(options.models, before, after) for before, after in zip(sizes, sizes[1:], strict=False)]
    draw = rng.random if options.layer_type == "matrix" else lambda shape: _hundredths(shape, rng)
    return Networks(options.layer_type, options.activation, tuple(draw(shape) for shape in shapes))


def answers(networks: Networks, heard: np.ndarray) -> np.ndarray:
    """What each network says at each symbol, float64 (networks, symbols). heard: (symbols, inputs)."""
    mean = networks.kind == "object"
    if networks.activation == "none":
        # A product of matrices is a filter: formed from its end, it costs next to nothing.
        filters = networks.weights[-1] / (networks.weights[-1].shape[1] if mean else 1)
        for weights in networks.weights[-2::-1]:
            filters = weights @ filters / (weights.shape[1] if mean else 1)
        found: np.ndarray = filters[..., 0] @ heard.T
        return found
    # Codes are many times as large as what an activation tells apart.
    x: np.ndarray = (heard / max(1.0, float(heard.max())) * 2 - 1)[None]
    for i, weights in enumerate(networks.weights):
        x = x @ weights / (weights.shape[1] if mean else weights.shape[1] ** 0.5)
        if i < len(networks.weights) - (1 if mean else 2):
            x = _activated(x, networks.activation)
    return x[..., 0]


def answers_in_order(networks: Networks, heard: np.ndarray) -> np.ndarray:
    """The same for networks without an activation, to the last bit as bach_generator adds it up; slow."""
    rows, back = np.unique(heard, axis=0, return_inverse=True)
    if networks.kind == "object":
        x = np.broadcast_to(rows, (len(networks), *rows.shape))
        for weights in networks.weights:
            total = np.zeros((len(networks), len(rows), weights.shape[2]))
            for i in range(weights.shape[1]):
                total += x[:, :, i, None] * weights[:, None, i]
            x = total / weights.shape[1]
        return np.asarray(x[:, back.reshape(-1), 0])
    found = np.zeros((len(networks), len(rows)))
    for number in range(len(networks)):
        for i, row in enumerate(rows):
            y = row[None]
            for weights in networks.weights:
                y = np.dot(y, weights[number])
            found[number, i] = y[0, 0]
    return found[:, back.reshape(-1)]


def jumbled(networks: Networks, how: str, divergence: float, rng: np.random.Generator) -> Networks:
    """The networks with other weights.

    how: `noise` adds normal numbers of that deviation; `factor` changes each weight by up to that share, in hundredths
    of it; `selection` draws that share of the weights of each node anew, one at least.
    """
    if not divergence:
        return networks
    changed = []
    for weights in networks.weights:
        if how == "noise":
            changed.append(weights + divergence * rng.standard_normal(weights.shape))
        elif how == "factor":
            share = rng.integers(-PERCENT, PERCENT, weights.shape, endpoint=True) / PERCENT
            changed.append(weights * (1 + share * divergence))
        else:
            count = min(weights.shape[-1], max(1, round(divergence * weights.shape[-1])))
            order = np.argsort(rng.random(weights.shape), axis=-1)
            changed.append(np.where(order < count, _hundredths(weights.shape, rng), weights))
    return dataclasses.replace(networks, weights=tuple(changed))


def crossed(networks: Networks, others: Networks, share: float, rng: np.random.Generator) -> Networks:
    """A share of the networks with the weights of about half of their nodes taken from others (uniform crossover,
    Syswerda 1989).
    """
    chosen = rng.random(len(networks)) < share
    pairs = zip(networks.weights, others.weights, strict=True)
    mixed = [
        np.where(chosen[:, None, None] & (rng.random((*one.shape[:2], 1)) < 0.5), other, one) for one, other in pairs
    ]
    return dataclasses.replace(networks, weights=tuple(mixed))


def _activated(x: np.ndarray, activation: str) -> np.ndarray:
    if activation == "tanh":
        return np.tanh(x)
    if activation == "relu":
        return np.maximum(x, 0)
    return np.asarray(1 / (1 + np.exp(-x)))


def _hundredths(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, PERCENT, shape, endpoint=True) / PERCENT
