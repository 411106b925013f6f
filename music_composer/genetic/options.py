"""The options of evolution. Names and defaults are those of bach_generator."""

from __future__ import annotations

import dataclasses

from music_composer.errors import OptionError
from music_composer.options import MOST, require_between

MAX_WEIGHTS = 2**29  # of all networks together
KINDS = ("matrix", "object")
ACTIVATIONS = ("none", "tanh", "relu", "sigmoid")
MUTATIONS = ("noise", "factor", "selection")
DEFAULT_MUTATIONS = {"matrix": "noise", "object": "factor"}  # by layer type
FITNESSES = ("correlation", "style")
RHYTHMS = ("copy", "simple")


@dataclasses.dataclass(frozen=True)
class EvolveOptions:
    """The number of networks, their shape, and how they change."""

    generations: int = 10
    models: int = 100
    inputs: int = 10  # notes that a network sees: the current one and those before it
    layers: int = 2  # hidden layers
    layer_type: str = "matrix"  # `matrix`: a node is the sum of its inputs; `object`: their mean
    layer_size: int = 20
    activation: str = "none"  # of the hidden layers; without one a network of any depth is a linear filter
    select_models: int = 20
    clones: int = 4  # of each selected network
    weight_jumble_by: str | None = None  # kind of mutation; None: that of the layer type
    weight_divergence: float = 0.05
    crossover: float = 0.0  # share of the clones with two parents
    tournament: int = 0  # networks that compete for each place; 0: the best are selected
    fitness: str = "correlation"
    write_interval: int = 10
    rhythm: str = "copy"
    chords: bool = False  # notes that begin together are one symbol, instead of being left out
    all_parts: bool = False
    part: int | None = None  # part to re-pitch, counted from 0; None: the second, or the next that is a tune
    seed: int | None = None

    def __post_init__(self) -> None:
        for flag, value in (
            ("--generations", self.generations), ("--models", self.models), ("--inputs", self.inputs),
            ("--layer-size", self.layer_size), ("--select-models", self.select_models),
            ("--write-interval", self.write_interval),
        ):  # fmt: skip
            require_between(flag, value, 1, MOST)
        for flag, value in (("--layers", self.layers), ("--clones", self.clones), ("--tournament", self.tournament)):
            require_between(flag, value, 0, MOST)
        if self.select_models > self.models:
            raise OptionError(
                f"--select-models {self.select_models} of --models {self.models}: select at most all of them"
            )
        if self.all_parts and self.part is not None:
            raise OptionError("--part and --all-parts exclude each other: give one of them")
        require_between("--crossover", self.crossover, 0.0, 1.0)
        require_between("--weight-divergence", self.weight_divergence, 0.0, MOST)
        weights = self.layer_size * (self.inputs + self.layer_size * max(0, self.layers - 1) + 1)
        networks = max(self.models, self.select_models * (1 + self.clones))
        if networks * weights > MAX_WEIGHTS:
            raise OptionError(
                f"{networks} networks of {weights} weights are {networks * weights * 8 / 2**30:.0f} GiB, more than "
                f"{MAX_WEIGHTS * 8 / 2**30:g}: lower --models, --clones, --layer-size or --layers"
            )

    @property
    def mutation(self) -> str:
        """The kind of mutation; by default that of the layer type."""
        return self.weight_jumble_by or DEFAULT_MUTATIONS[self.layer_type]
