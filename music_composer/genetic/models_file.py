"""models.json: networks as nested lists (models, layers, nodes, weights), the format of bach_generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import ScoreError
from music_composer.files.atomic import read_json, reason, whole_file
from music_composer.genetic.networks import Networks

MAX_BYTES = 512 * 2**20  # bytes


def write_networks(networks: Networks, path: Path) -> None:
    """Writes networks. The object kind ends with a node without weights, as in bach_generator."""
    end: list[Any] = [[[]]] if networks.kind == "object" else []
    models = [[layer[i].tolist() for layer in networks.weights] + end for i in range(len(networks))]
    with whole_file(path) as part:
        part.write_text(json.dumps(models) + "\n", encoding="utf-8")


def read_networks(path: Path, activation: str) -> Networks:
    """The inverse of `write_networks`.

    Raises ScoreError, naming the file, for anything but networks of one shape with finite numbers.
    """
    try:
        content = read_json(path, MAX_BYTES, finite=False)
    except OSError as error:
        raise ScoreError(f"{path}: cannot be opened: {reason(error)}") from error
    except ValueError as error:
        raise ScoreError(f"{path}: is no list of networks, or cut off: {str(error)[:80]}") from error
    if not isinstance(content, list) or not content or not all(isinstance(model, list) and model for model in content):
        raise ScoreError(f"{path}: holds no list of networks")
    # The output node of the object kind has no weights.
    kind = "object" if content[0][-1] == [[]] else "matrix"
    models = [model[:-1] for model in content] if kind == "object" else content
    try:
        if kind == "object" and any(model[-1] != [[]] for model in content):
            raise ValueError("kinds differ")
        weights = tuple(_numbers([model[i] for model in models]) for i in range(len(models[0])))
        if not weights or any(len(model) != len(weights) for model in models):
            raise ValueError("numbers of layers differ")
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise ScoreError(f"{path}: its networks are not of one shape: {str(error)[:80]}") from error
    ends = [layer.shape[2] for layer in weights]
    if any(layer.shape[1] != before for layer, before in zip(weights[1:], ends[:-1], strict=True)) or ends[-1] != 1:
        raise ScoreError(f"{path}: the layers of its networks do not fit one another")
    return Networks(kind, activation, weights)


def _numbers(layers: list[Any]) -> np.ndarray:
    """A layer of all networks, float64 (networks, from, to). Raises ValueError for anything but finite numbers."""
    flat = [weight for layer in layers for node in layer for weight in node]
    if any(isinstance(weight, bool) or not isinstance(weight, int | float) for weight in flat):
        raise ValueError("something in it is no number")
    found = np.array(layers, np.float64)
    if found.ndim != 3 or not found.size or not np.isfinite(found).all():
        raise ValueError("a layer is empty, uneven or beyond all numbers")
    return found
