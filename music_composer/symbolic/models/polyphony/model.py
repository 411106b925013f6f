"""The polyphony model behind the interface of all models of notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.interface import NoteModel
from music_composer.symbolic.models.particles import batch_of, play_particles, search_of
from music_composer.symbolic.models.polyphony.batches import EventLoader, event_inputs, to_piece
from music_composer.symbolic.options import PolyphonyOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll import DEFAULT_VELOCITY, bar_clock
from music_composer.symbolic.roll_operations import silence
from music_composer.training.options import TrainOptions
from music_composer.values import PITCHES, Roll

PAD_TO = 256  # events: every new length of input compiles a graph


class PolyphonyModel(NoteModel):
    def build(self, options: PolyphonyOptions) -> Any:
        from music_composer.symbolic.models.polyphony.network import Polyphony

        network = Polyphony(options)
        silent = np.zeros((1, PITCHES), np.uint8)
        example = event_inputs(to_piece(Roll(silent, silent.astype(bool)), options), 0, 2)
        network([array[None] for array in example])  # the first call creates the weights
        return network

    def loader(
        self,
        training: Sequence[Roll],
        validation: Sequence[Roll],
        options: PolyphonyOptions,
        train_options: TrainOptions,
    ) -> EventLoader:
        training_pieces, validation_pieces = (
            [to_piece(roll, options) for roll in part] for part in (training, validation)
        )
        return EventLoader(
            training_pieces, validation_pieces, train_options.batch_size, train_options.window_steps, options
        )

    def player(self, network: Any) -> Any:
        from music_composer.symbolic.models.polyphony.player import PolyphonyPlayer

        return PolyphonyPlayer(network)

    def generate(
        self,
        player: Any,
        constraint_sets: Sequence[Constraints],
        options: PlayOptions,
        rngs: Sequence[np.random.Generator],
    ) -> list[Roll]:
        from music_composer.symbolic.models.sampling import sampling_parameters

        network_options = player.network.options
        sampling = sampling_parameters([options] * len(constraint_sets))
        active, onset = play_particles(
            player,
            batch_of([step_inputs(constraints, network_options) for constraints in constraint_sets]),
            [sampling],
            rngs,
            search_of(constraint_sets, options),
        )
        rolls = []
        for active_of_piece, onset_of_piece, constraints in zip(active, onset, constraint_sets, strict=True):
            roll = silence(constraints.steps, constraints.fixed)
            # Events have no loudness.
            roll.velocity[active_of_piece] = DEFAULT_VELOCITY
            roll.onset[onset_of_piece & active_of_piece] = True
            rolls.append(roll)
        return rolls

    def likelihood(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        likelihoods = []
        for roll in rolls:
            piece = to_piece(roll, network.options)
            inputs = event_inputs(piece, 0, -(-piece.length // PAD_TO) * PAD_TO)
            by_event = np.asarray(network.predict_on_batch([array[None] for array in inputs]))[0, : piece.length]
            # END has no step of its own: its likelihood is added to that of the last step.
            steps = np.minimum(piece.step, max(0, piece.steps - 1))
            # Events are summed by step.
            likelihoods.append(np.bincount(steps, weights=by_event, minlength=piece.steps)[: piece.steps])
        return likelihoods


def step_inputs(constraints: Constraints, options: PolyphonyOptions) -> list[np.ndarray]:
    """What the player takes for each step: clock, allowed, fixed and max_new_notes; see `PolyphonyPlayer`."""
    from music_composer.symbolic.models.polyphony.player import FREE, HELD

    roll = constraints.fixed
    fixed = np.where(roll.active, np.where(roll.onset, HELD + 1, HELD), FREE).astype(np.int32)
    allowed = np.tile(constraints.pitches.astype(np.float32), (constraints.steps, 1))
    return [bar_clock(roll), allowed, fixed, constraints.max_new_notes(options.most, roll.active)]
