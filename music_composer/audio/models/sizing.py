"""Network size and number of epochs for an amount of music.

A training processes about the same number of minutes for any folder: little music many times, much music once. So it
takes about the same time. Very little music gets a narrow network, which memorizes less of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from music_composer.audio.options import ModelOptions
from music_composer.errors import OptionError
from music_composer.progress import duration

FLAGS = {"neurons": "-n", "layers": "-l", "epochs": "-e"}


@dataclasses.dataclass(frozen=True)
class FittingOptions:
    """Sizes for everything that the user does not choose."""

    trained_minutes: float = 600.0  # of music in a training, all epochs together
    most_epochs: int = 24
    layers: int = ModelOptions.layers
    narrow: int = 256  # neurons for less than `narrow_minutes` of music
    narrow_minutes: float = 10.0
    usual: int = ModelOptions.neurons
    wide: int = 512  # neurons for more than `wide_minutes`
    wide_minutes: float = 300.0


@dataclasses.dataclass(frozen=True)
class Fit:
    """A size: fields of ModelOptions and of TrainOptions."""

    neurons: int
    layers: int
    epochs: int

    @property
    def network(self) -> dict[str, int]:
        """The fields of ModelOptions."""
        return {"neurons": self.neurons, "layers": self.layers}


def fit_to(minutes: float, options: FittingOptions = FittingOptions()) -> Fit:
    """Returns the size for `minutes` of music. Raises OptionError for no music."""
    if not minutes > 0:
        raise OptionError(f"{minutes:g} minutes of music: nothing fits")
    epochs = min(options.most_epochs, max(1, round(options.trained_minutes / minutes)))
    if minutes < options.narrow_minutes:
        neurons = options.narrow
    else:
        neurons = options.wide if minutes > options.wide_minutes else options.usual
    return Fit(neurons, options.layers, epochs)


def summary(minutes: float, chosen: Mapping[str, int]) -> str:
    """Returns a line about what was chosen. chosen: the fields of Fit that the user did not give, at least one."""
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
