"""The network and the passes over the music that fit a folder, by how much music is in it.

A training hears about as many minutes whatever the folder holds: little music many times, much music once. So it
takes about as long too. Very little music is for a narrow network, which learns less of it by heart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from music_composer.errors import OptionError
from music_composer.options import ModelOptions
from music_composer.progress import duration

FLAGS = {"neurons": "-n", "layers": "-l", "epochs": "-e"}


@dataclasses.dataclass(frozen=True)
class FittingOptions:
    """What is chosen where nothing was typed."""

    trained_minutes: float = 600.0  # of music that are heard in a training, all passes together
    most_epochs: int = 24
    layers: int = ModelOptions.layers
    narrow: int = 256  # neurons for less than `narrow_minutes` of music
    narrow_minutes: float = 10.0
    usual: int = ModelOptions.neurons
    wide: int = 512  # neurons for more than `wide_minutes`
    wide_minutes: float = 300.0


@dataclasses.dataclass(frozen=True)
class Fit:
    """What fits: fields of ModelOptions, and of TrainOptions."""

    neurons: int
    layers: int
    epochs: int

    @property
    def network(self) -> dict[str, int]:
        return {"neurons": self.neurons, "layers": self.layers}


def fit_to(minutes: float, options: FittingOptions = FittingOptions()) -> Fit:
    """What fits so many minutes of music. Raises OptionError for none."""
    if not minutes > 0:
        raise OptionError(f"{minutes:g} minutes of music: nothing fits")
    epochs = min(options.most_epochs, max(1, round(options.trained_minutes / minutes)))
    if minutes < options.narrow_minutes:
        neurons = options.narrow
    else:
        neurons = options.wide if minutes > options.wide_minutes else options.usual
    return Fit(neurons, options.layers, epochs)


def said(minutes: float, chosen: Mapping[str, int]) -> str:
    """The line that tells what was chosen. chosen: the fields of Fit that were not typed, at least one."""
    if chosen.keys() >= {"neurons", "layers"}:
        words = [f"{chosen['layers']} x {chosen['neurons']}"]
    else:
        words = [f"{chosen[name]} {name}" for name in ("neurons", "layers") if name in chosen]
    if "epochs" in chosen:
        words.append(f"{chosen['epochs']} {'epoch' if chosen['epochs'] == 1 else 'epochs'}")
    flags = [flag for name, flag in FLAGS.items() if name in chosen]
    listed = " and ".join([", ".join(flags[:-1]), flags[-1]] if len(flags) > 1 else flags)
    choose = "choose" if len(flags) > 1 else "chooses"
    return f"{duration(60 * minutes)} of music: {', '.join(words)} (chosen; {listed} {choose} otherwise)"
