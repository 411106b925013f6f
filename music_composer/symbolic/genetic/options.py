"""The options of evolution, under the names that bach_generator gave them; their defaults are its own."""

from __future__ import annotations

import dataclasses

from music_composer.errors import OptionError
from music_composer.options import require_at_least

KINDS = ("matrix", "object")
ACTIVATIONS = ("none", "tanh", "relu", "sigmoid")
JUMBLES = ("noise", "factor", "selection")
JUMBLE_OF = {"matrix": "noise", "object": "factor"}  # where none is asked for
FITNESSES = ("correlation", "style")
RHYTHMS = ("copy", "simple")


@dataclasses.dataclass(frozen=True)
class EvolveOptions:
    """How many networks there are, what they look like, and how they change."""

    generations: int = 10
    models: int = 100
    inputs: int = 10  # notes that a network hears: the current one and those before it
    layers: int = 2  # hidden ones
    layer_type: str = "matrix"  # `object`: a node is the mean of what it is given, and not the sum
    layer_size: int = 20
    activation: str = "none"  # of the hidden layers; with none a network is a linear filter, however deep
    select_models: int = 20
    clones: int = 4  # of each that was selected
    weight_jumble_by: str | None = None  # how clones differ; None: as the layer type likes it
    weight_divergence: float = 0.05
    crossover: float = 0.0  # share of the clones that have two parents
    tournament: int = 0  # networks that compete for each place; 0: the best are selected
    fitness: str = "correlation"
    write_interval: int = 10
    rhythm: str = "copy"
    chords: bool = False  # notes that begin together are one symbol, and not left out
    all_parts: bool = False
    part: int | None = None  # that is re-pitched, counted from 0; None: the second, or the next that is a tune
    seed: int | None = None

    def __post_init__(self) -> None:
        for flag, value in (
            ("--generations", self.generations), ("--models", self.models), ("--inputs", self.inputs),
            ("--layer-size", self.layer_size), ("--select-models", self.select_models),
            ("--write-interval", self.write_interval),
        ):  # fmt: skip
            require_at_least(flag, value, 1)
        for flag, value in (("--layers", self.layers), ("--clones", self.clones), ("--tournament", self.tournament)):
            require_at_least(flag, value, 0)
        if self.select_models > self.models:
            raise OptionError(
                f"--select-models {self.select_models} of --models {self.models}: there are not so many to select"
            )
        if self.all_parts and self.part is not None:
            raise OptionError("--part and --all-parts exclude each other: give one of them")
        if not 0 <= self.crossover <= 1:
            raise OptionError(f"--crossover is {self.crossover:g}: it must be between 0 and 1")
        if not 0 <= self.weight_divergence < float("inf"):
            raise OptionError(f"--weight-divergence is {self.weight_divergence:g}: it must be 0 or more")

    @property
    def jumble(self) -> str:
        return self.weight_jumble_by or JUMBLE_OF[self.layer_type]
