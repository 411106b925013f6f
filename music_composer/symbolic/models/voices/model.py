"""The voices model behind the interface of all models of notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.interface import NoteModel
from music_composer.symbolic.models.particles import play_particles, search_of
from music_composer.symbolic.models.voices.batches import Piece, VoicesLoader, voices_inputs
from music_composer.symbolic.models.voices.bounds import bounds_of, stacked
from music_composer.symbolic.models.voices.encoding import to_piece, to_roll
from music_composer.symbolic.models.voices.likelihood import any_key, likelihood_of
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.training.options import TrainOptions
from music_composer.values import Roll


class VoicesModel(NoteModel):
    def build(self, options: VoicesOptions) -> Any:
        # Imported here: a model is looked up without Keras.
        from music_composer.symbolic.models.voices.network import Voices

        network = Voices(options)
        silent = Piece(np.zeros((1, options.pitches), bool), np.zeros((1, options.clock), np.float32))
        network(voices_inputs([silent], [0], options, 2))  # the first call creates the weights
        return network

    def loader(
        self, training: Sequence[Roll], validation: Sequence[Roll], options: VoicesOptions, train_options: TrainOptions
    ) -> VoicesLoader:
        training_pieces, validation_pieces = (
            [to_piece(roll, options) for roll in part] for part in (training, validation)
        )
        return VoicesLoader(
            training_pieces, validation_pieces, options, train_options.batch_size, train_options.window_steps
        )

    def player(self, network: Any) -> Any:
        from music_composer.symbolic.models.voices.player import VoicesPlayer

        return VoicesPlayer(network, network.options.most + 1)

    def generate(
        self,
        player: Any,
        constraint_sets: Sequence[Constraints],
        options: PlayOptions,
        rngs: Sequence[np.random.Generator],
    ) -> list[Roll]:
        from music_composer.symbolic.models.sampling import sampling_parameters

        network_options = player.network.options
        step_inputs, shift = stacked([bounds_of(constraints, network_options) for constraints in constraint_sets])
        sample_inputs = [*shift, sampling_parameters([options] * len(constraint_sets))]
        chords, articulations = play_particles(
            player, step_inputs, sample_inputs, rngs, search_of(constraint_sets, options)
        )
        return [
            to_roll(chord, articulation, network_options, constraints.fixed)
            for chord, articulation, constraints in zip(chords, articulations, constraint_sets, strict=True)
        ]

    def likelihood(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        pieces = [to_piece(roll, network.options) for roll in rolls]
        return likelihood_of(network.predict_on_batch, pieces, network.options)

    def likelihood_in_any_key(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        pieces = [to_piece(roll, network.options) for roll in rolls]
        return any_key(network.predict_on_batch, pieces, network.options)
