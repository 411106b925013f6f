"""The models of notes, by name, and what the journey asks of each of them.

Each has a folder beside this file, and in it a `composer.py` with these functions.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.particles import Player
from music_composer.symbolic.options import PlayOptions
from music_composer.values import Roll

if TYPE_CHECKING:
    from music_composer.training.loop import Lessons


class Composer(Protocol):
    """options: of the model, the record that `MODELS` has under its name."""

    def fitted(self, options: Any, training: Sequence[Roll]) -> Any:
        """The options with what only the music can say."""

    def build(self, options: Any) -> Any:
        """The network, a Keras model, with random weights."""

    def lessons(self, training: Sequence[Roll], judged: Sequence[Roll], options: Any, how: TrainOptions) -> Lessons:
        """What there is to learn of pieces, and to judge by."""

    def player(self, model: Any) -> Player:
        """What plays a trained network; its graph is built when it first plays."""

    def play(
        self, player: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
    ) -> list[Roll]:
        """A piece for each request, of equal length all; each depends on its own random generator alone."""

    def likelihood(self, model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        """Natural log likelihood of each step of whole pieces, (steps,) each."""


def composer_of(name: str) -> Composer:
    return cast(Composer, importlib.import_module(f"music_composer.symbolic.models.{name}.model"))
