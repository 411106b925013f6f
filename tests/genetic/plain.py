"""The reference: bach_generator's computation, one network and one note at a time."""

import collections
import itertools

import numpy as np


def answer(kind, layers, inputs):
    """layers: nodes of weights. heard: the codes up to now, at most as many as the first layer has nodes."""
    values = list(inputs) + [0] * (len(layers[0]) - len(inputs))
    for weights in layers:
        if kind == "matrix":
            values = np.dot(np.reshape(values, (1, -1)), np.array(weights))[0].tolist()
        else:
            sums = [sum(v * row[j] for v, row in zip(values, weights, strict=True)) for j in range(len(weights[0]))]
            values = [each / len(values) for each in sums]
    return values[0]


def forward(kind, layers, codes):
    window, found = collections.deque(maxlen=len(layers[0])), []
    for code in codes:
        window.append(code)
        found.append(answer(kind, layers, window))
    return found


def quantised(outputs, codes):
    ranked = [code for code, _ in collections.Counter(codes).most_common()]
    grounded = [each - min(outputs) for each in outputs]
    scaling = max(grounded) / len(ranked)
    levels = [round(each / scaling) if scaling else 0 for each in grounded]
    found = [level for level, _ in collections.Counter(levels).most_common()]
    mapping = dict(itertools.zip_longest(found, ranked[: len(found)], fillvalue=0))
    return [mapping[level] for level in levels]
