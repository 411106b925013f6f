"""A population of small networks as one set of arrays.

The networks are those of bach_generator (R. Baltrusch, 2021), computed for all networks at once.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.genetic.options import EvolveOptions

PERCENT = 100  # bach_generator draws weights of the object kind, and their changes, in hundredths


@dataclasses.dataclass(frozen=True)
class Networks:
    """A population. weights: of each layer, float64 (networks, from, to); the last `to` is 1.

    kind: `object`, where a node is the mean of its inputs, or `matrix`, where it is their sum, and the last layer is
    one more weight. activation: of the hidden layers.
    """

    kind: str
    activation: str
    weights: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.weights[0])

    @property
    def inputs(self) -> int:
        return self.weights[0].shape[1]

    def take(self, indices: np.ndarray) -> Networks:
        """The networks at some indices."""
        return dataclasses.replace(self, weights=tuple(layer[indices] for layer in self.weights))


def joined(first: Networks, second: Networks) -> Networks:
    """Two populations of one kind and shape as one."""
    pairs = zip(first.weights, second.weights, strict=True)
    return dataclasses.replace(first, weights=tuple(np.concatenate(pair) for pair in pairs))


def random_networks(options: EvolveOptions, rng: np.random.Generator) -> Networks:
    """Networks with weights drawn evenly from 0 to 1; for the object kind in hundredths."""
    sizes = [options.inputs, *[options.layer_size] * options.layers, 1]
    sizes += [1] if options.layer_type == "matrix" else []
    shapes = [(options.models, before, after) for before, after in zip(sizes, sizes[1:], strict=False)]
    draw = rng.random if options.layer_type == "matrix" else lambda shape: hundredths(shape, rng)
    return Networks(options.layer_type, options.activation, tuple(draw(shape) for shape in shapes))


def hundredths(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Numbers drawn evenly from 0, 0.01, ... 1."""
    return rng.integers(0, PERCENT, shape, endpoint=True) / PERCENT


def forward(networks: Networks, inputs: np.ndarray) -> np.ndarray:
    """The output of each network at each symbol, float64 (networks, symbols). inputs: (symbols, inputs)."""
    mean = networks.kind == "object"
    if networks.activation == "none":
        # Linear layers are one filter. Multiplied from the last layer, it costs next to nothing.
        filters = networks.weights[-1] / (networks.weights[-1].shape[1] if mean else 1)
        for weights in networks.weights[-2::-1]:
            filters = weights @ filters / (weights.shape[1] if mean else 1)
        found: np.ndarray = filters[..., 0] @ inputs.T
        return found
    # Codes are much larger than the range of an activation: they are scaled to -1 to 1.
    x: np.ndarray = (inputs / max(1.0, float(inputs.max())) * 2 - 1)[None]
    for i, weights in enumerate(networks.weights):
        # A sum of n random terms grows as sqrt(n).
        x = x @ weights / (weights.shape[1] if mean else weights.shape[1] ** 0.5)
        if i < len(networks.weights) - (1 if mean else 2):
            x = _activated(x, networks.activation)
    return x[..., 0]


def forward_in_order(networks: Networks, inputs: np.ndarray) -> np.ndarray:
    """The same for networks without an activation, summed in the order of bach_generator.

    It agrees with bach_generator to the last bit, and is slow.
    """
    rows, back = np.unique(inputs, axis=0, return_inverse=True)
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


def _activated(x: np.ndarray, activation: str) -> np.ndarray:
    if activation == "tanh":
        return np.tanh(x)
    if activation == "relu":
        return np.maximum(x, 0)
    return np.asarray(1 / (1 + np.exp(-x)))
