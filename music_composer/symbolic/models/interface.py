"""The interface of a model of notes: what training, generation and evaluation ask of it."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.particles import Player
from music_composer.symbolic.play_options import PlayOptions
from music_composer.training.options import TrainOptions
from music_composer.values import Roll

if TYPE_CHECKING:
    from music_composer.training.loop import DataLoader


class NoteModel(abc.ABC):
    """One kind of model. It has no state: networks and options are passed in.

    `options` is the record that `symbolic.options.MODELS` names for the model. Keras is imported when a network is
    built, so that a model can be looked up without it.
    """

    def fitted(self, options: Any, training: Sequence[Roll]) -> Any:
        """The options, with fields that depend on the training music."""
        return options

    @abc.abstractmethod
    def build(self, options: Any) -> Any:
        """A Keras network with random weights."""

    @abc.abstractmethod
    def loader(
        self, training: Sequence[Roll], validation: Sequence[Roll], options: Any, train_options: TrainOptions
    ) -> DataLoader:
        """Batches of training and validation music, for the training loop."""

    @abc.abstractmethod
    def player(self, network: Any) -> Player:
        """Plays a trained network. Its graph is built at the first call."""

    @abc.abstractmethod
    def generate(
        self,
        player: Any,
        constraint_sets: Sequence[Constraints],
        options: PlayOptions,
        rngs: Sequence[np.random.Generator],
    ) -> list[Roll]:
        """Generates a piece for each set of constraints. All are of equal length.

        rngs: one for each piece. A piece depends on its own constraints and its own generator alone.
        """

    @abc.abstractmethod
    def likelihood(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        """Natural log likelihood of each step of whole pieces, one array (steps,) for each piece."""

    def likelihood_in_any_key(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        """As `likelihood`, without telling the network how a piece is transposed."""
        return self.likelihood(network, rolls)
