"""The piano-roll model behind the interface of all models of notes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.interface import NoteModel
from music_composer.symbolic.models.particles import batch_of, play_particles, search_of
from music_composer.symbolic.models.pianoroll.batches import WordLoader, WordPiece, to_piece, word_indices, word_inputs
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS, vocabulary_of
from music_composer.symbolic.options import PianorollOptions
from music_composer.symbolic.play_options import PlayOptions
from music_composer.symbolic.roll import DEFAULT_VELOCITY, bar_clock
from music_composer.training.options import TrainOptions
from music_composer.values import PITCHES, Roll

PAD_TO = 128  # steps: every new length of input compiles a graph
CHANGE = 1 / 8  # probability that a pitch of an unknown word differs from the step before


class PianorollModel(NoteModel):
    def fitted(self, options: PianorollOptions, training: Sequence[Roll]) -> PianorollOptions:
        """The options with the vocabulary of the training music."""
        return dataclasses.replace(options, words=vocabulary_of(training, options.most_words))

    def build(self, options: PianorollOptions) -> Any:
        from music_composer.symbolic.models.pianoroll.network import Pianoroll

        network = Pianoroll(options)
        silent = np.zeros((1, PITCHES), np.uint8)
        piece = to_piece(Roll(silent, silent.astype(bool)), word_indices(options), options.half_lives)
        network([array[None] for array in word_inputs(piece, 0, 2)])  # the first call creates the weights
        return network

    def loader(
        self,
        training: Sequence[Roll],
        validation: Sequence[Roll],
        options: PianorollOptions,
        train_options: TrainOptions,
    ) -> WordLoader:
        indices = word_indices(options)
        training_pieces, validation_pieces = (
            [to_piece(roll, indices, options.half_lives) for roll in part] for part in (training, validation)
        )
        return WordLoader(training_pieces, validation_pieces, train_options.batch_size, train_options.window_steps)

    def player(self, network: Any) -> Any:
        from music_composer.symbolic.models.pianoroll.player import PianorollPlayer

        return PianorollPlayer(network)

    def generate(
        self,
        player: Any,
        constraint_sets: Sequence[Constraints],
        options: PlayOptions,
        rngs: Sequence[np.random.Generator],
    ) -> list[Roll]:
        from music_composer.symbolic.models.sampling import sampling_parameters

        samples = len(constraint_sets)
        stability = np.full(samples, options.note_stability, np.float32)
        (keys,) = play_particles(
            player,
            batch_of([step_inputs(constraints) for constraints in constraint_sets]),
            [sampling_parameters([options] * samples), stability],
            rngs,
            search_of(constraint_sets, options),
        )
        return [to_roll(row > 0, constraints.fixed) for row, constraints in zip(keys, constraint_sets, strict=True)]

    def likelihood(self, network: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
        """An unknown word has the likelihood of being unknown, times that of its keys given the keys before."""
        indices, likelihoods = word_indices(network.options), []
        for roll in rolls:
            piece = to_piece(roll, indices, network.options.half_lives)
            inputs = word_inputs(piece, 0, max(1, -(-piece.steps // PAD_TO)) * PAD_TO)
            by_step = np.asarray(network.predict_on_batch([array[None] for array in inputs]))[0, : piece.steps]
            is_unknown = piece.words == len(indices)
            likelihoods.append(by_step + np.where(is_unknown, unknown_log_probs(piece), 0.0))
        return likelihoods


def unknown_log_probs(piece: WordPiece) -> np.ndarray:
    """Natural log likelihood of the keys of each step, given the keys before, (steps,).

    Each pitch is independent: it stays as it was, or changes with probability CHANGE. A pitch is silent, held or
    begins, and a silent pitch cannot become a held one.
    """
    onset, held = piece.keys[:, :PITCHES], piece.keys[:, PITCHES:]
    active_before = np.concatenate([np.zeros_like(held[:1]), (onset | held)[:-1]])
    stays = np.where(active_before, held, ~onset & ~held)
    # An active pitch can change in two ways, a silent one in one: the probabilities of each sum to 1.
    probs = np.where(stays, 1 - CHANGE, np.where(active_before, CHANGE / 2, CHANGE))
    return np.log(probs).sum(axis=1)


def step_inputs(constraints: Constraints) -> list[np.ndarray]:
    """What the player takes for each step: clock, allowed, fixed and max_new_notes; see `PianorollPlayer`."""
    roll = constraints.fixed
    allowed = np.tile(constraints.pitches.astype(np.float32), (constraints.steps, 1))
    return [bar_clock(roll), allowed, roll.active.astype(np.float32), constraints.max_new_notes(KEYS, roll.active)]


def to_roll(keys: np.ndarray, like: Roll) -> Roll:
    """bool (steps, KEYS) as a roll, in the tempos and metres of another."""
    onset, held = keys[:, :PITCHES], keys[:, PITCHES:]
    velocity = np.where(onset | held, DEFAULT_VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, onset, like.per_quarter, like.tempos, like.metres)
