"""The biaxial model behind the interface of all models of notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.errors import OptionError
from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.biaxial.batches import PAD_TO, BitLoader, bit_inputs, to_piece
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.models.interface import NoteModel
from music_composer.symbolic.models.particles import batch_of, play_particles, search_of
from music_composer.symbolic.options import BiaxialOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.training.options import TrainOptions
from music_composer.values import Roll

MAX_BATCH, MAX_BATCH_STEPS = 8, 1024  # of likelihoods: pieces, and steps of all of them unless one piece is longer


class BiaxialModel(NoteModel):
    def build(self, options: BiaxialOptions) -> Any:
        from music_composer.symbolic.models.biaxial.network import Biaxial

        network = Biaxial(options)
        network.build()
        return network

    def loader(
        self, training: Sequence[Roll], validation: Sequence[Roll], options: BiaxialOptions, train_options: TrainOptions
    ) -> BitLoader:
        training_pieces, validation_pieces = (
            [to_piece(roll, options) for roll in part] for part in (training, validation)
        )
        return BitLoader(
            training_pieces, validation_pieces, train_options.batch_size, train_options.window_steps, options
        )

    def player(self, network: Any) -> Any:
        from music_composer.symbolic.models.biaxial.player import BiaxialPlayer

        return BiaxialPlayer(network)

    def generate(
        self,
        player: Any,
        constraint_sets: Sequence[Constraints],
        options: PlayOptions,
        rngs: Sequence[np.random.Generator],
    ) -> list[Roll]:
        """Raises OptionError for top-k, which means nothing where each note is a decision between two choices."""
        if options.top_k:
            raise OptionError("--top-k does nothing for the biaxial model, which decides note by note: leave it out")
        network_options = player.network.options
        # Of two choices, top-p keeps the likelier alone where its probability reaches p; below 0.5 that is always so.
        certain = max(0.5, options.top_p) if options.top_p else 1.0
        parameters = (options.temperature, options.conservativity, float(options.adaptive), certain)
        (bits,) = play_particles(
            player,
            batch_of([step_inputs(constraints, network_options) for constraints in constraint_sets]),
            [np.full(len(constraint_sets), value, np.float32) for value in parameters],
            rngs,
            search_of(constraint_sets, options),
        )
        return [
            to_roll(row > 0, network_options, constraints.fixed)
            for row, constraints in zip(bits, constraint_sets, strict=True)
        ]

    def likelihood(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        pieces = [to_piece(roll, network.options) for roll in rolls]
        order = sorted(range(len(pieces)), key=lambda i: -pieces[i].steps)
        likelihoods: dict[int, np.ndarray] = {}
        while len(likelihoods) < len(pieces):
            done = len(likelihoods)
            longest = max(1, pieces[order[done]].steps)
            # The network runs over every note of every step: long pieces get small batches.
            batch = order[done : done + max(1, min(MAX_BATCH, MAX_BATCH_STEPS // longest))]
            inputs = bit_inputs([(pieces[i], 0) for i in batch], -(-longest // PAD_TO) * PAD_TO)
            for i, row in zip(batch, network.predict_on_batch(inputs), strict=True):
                likelihoods[i] = np.asarray(row[: pieces[i].steps], np.float64)
        return [likelihoods[i] for i in range(len(pieces))]


def step_inputs(constraints: Constraints, options: BiaxialOptions) -> list[np.ndarray]:
    """What the player takes for each step: clock, allowed, fixed and max_new_notes; see `BiaxialPlayer`."""
    fixed = to_bits(constraints.fixed, options)[..., 0].astype(np.float32)
    allowed = constraints.pitches[options.lowest : options.lowest + options.notes].astype(np.float32)
    max_new_notes = constraints.max_new_notes(options.notes, fixed)
    return [bar_clock(constraints.fixed), np.tile(allowed, (constraints.steps, 1)), fixed, max_new_notes]
