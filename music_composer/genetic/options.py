"""The options of evolution, under the names that bach_generator gave them; their defaults are its own."""

from __future__ import annotations

import dataclasses

from music_composer.errors import OptionError
from music_composer.options import MOST, require_between

MOST_NUMBERS = 2**29  # weights of all networks together
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
            require_between(flag, value, 1, MOST)
        for flag, value in (("--layers", self.layers), ("--clones", self.clones), ("--tournament", self.tournament)):
            require_between(flag, value, 0, MOST)
        if self.select_models > self.models:
            raise OptionError(
                f"--select-models {self.select_models} of --models {self.models}: there are not so many to select"
            )
        if self.all_parts and self.part is not None:
            raise OptionError("--part and --all-parts exclude each other: give one of them")
        require_between("--crossover", self.crossover, 0.0, 1.0)
        require_between("--weight-divergence", self.weight_divergence, 0.0, MOST)
        weights = self.layer_size * (self.inputs + self.layer_size * max(0, self.layers - 1) + 1)
        networks = max(self.models, self.select_models * (1 + self.clones))
        if networks * weights > MOST_NUMBERS:
            raise OptionError(
                f"{networks} networks of {weights} weights are {networks * weights * 8 / 2**30:.0f} GiB: at most "
                f"{MOST_NUMBERS * 8 / 2**30:g} are taken; --models, --clones, --layer-size and --layers make them fewer"
            )

    @property
    def jumble(self) -> str:
        return self.weight_jumble_by or JUMBLE_OF[self.layer_type]
