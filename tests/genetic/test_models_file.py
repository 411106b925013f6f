"""models.json round-trips in bach_generator's format; other content is refused by name."""

import json

import numpy as np
import pytest

from music_composer.errors import ScoreError
from music_composer.genetic.models_file import read_networks, write_networks
from music_composer.genetic.networks import random_networks
from music_composer.genetic.options import EvolveOptions


@pytest.mark.parametrize("kind", ["matrix", "object"])
@pytest.mark.parametrize("layers", [0, 2])
def test_networks_round_trip(tmp_path, kind, layers):
    options = EvolveOptions(models=3, inputs=4, layers=layers, layer_size=5, layer_type=kind, select_models=1)
    networks = random_networks(options, np.random.default_rng(0))
    write_networks(networks, tmp_path / "models.json")
    read = read_networks(tmp_path / "models.json", "none")
    assert read.kind == kind
    assert all(np.array_equal(a, b) for a, b in zip(read.weights, networks.weights, strict=True))


def test_the_format_is_models_layers_nodes_weights(tmp_path):
    (tmp_path / "theirs.json").write_text("[[[[0.5, 1], [0, 0.25]], [[2], [3.5]], [[]]]]")
    read = read_networks(tmp_path / "theirs.json", "none")
    assert read.kind == "object"
    assert [each.tolist() for each in read.weights] == [[[[0.5, 1], [0, 0.25]]], [[[2], [3.5]]]]
    write_networks(read, tmp_path / "ours.json")
    assert json.loads((tmp_path / "ours.json").read_text()) == json.loads((tmp_path / "theirs.json").read_text())


@pytest.mark.parametrize(
    "content",
    [
        "", "[[[[0.5, 1], [0, 0", "{}", "[]", "[[]]", "[1]", "[[[]]]", "[[[[]]]]", "null", '"__import__(\'os\')"',
        "[[[[0.5], [0.25]], [[1, 2]]]]", "[[[[0.5, 1]], [[2], [3]]], [[[0.5]], [[2]]]]", '[[[["a"]], [[1]]]]',
        "[[[[NaN]], [[1]]]]", "[[[[1e999]], [[1]]]]", "[[[[true]], [[1]]]]", "[[[[0.5, 1], [1]], [[2], [3]]]]",
        "[[[[1]], [[]]], [[[1]], [[1]]]]", "[" * 100_000, "[[[[1, 2], [3, 4]]]]", "[[[[" + "9" * 400 + "]], [[1]]]]",
    ],
)  # fmt: skip
def test_other_content_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ScoreError, match=r"a\.json"):
        read_networks(tmp_path / "a.json", "none")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScoreError, match=r"none\.json: cannot be opened"):
        read_networks(tmp_path / "none.json", "none")
