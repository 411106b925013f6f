"""The voices model as the journey knows it: see symbolic/composition/registry.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.particles import play_drafts, search_of
from music_composer.symbolic.models.voices.batches import Piece, VoicesLessons, voices_inputs
from music_composer.symbolic.models.voices.bounds import bounds_of, stacked
from music_composer.symbolic.models.voices.encoding import to_piece, to_roll
from music_composer.symbolic.models.voices.likelihood import any_key, likelihood_of
from music_composer.symbolic.options import PlayOptions, VoicesOptions
from music_composer.values import Roll


def fitted(options: VoicesOptions, training: Sequence[Roll]) -> VoicesOptions:
    return options


def build(options: VoicesOptions) -> Any:
    from music_composer.symbolic.models.voices.network import Voices

    model = Voices(options)
    nothing = Piece(np.zeros((1, options.pitches), bool), np.zeros((1, options.clock), np.float32))
    model(voices_inputs([nothing], [0], options, 2))
    return model


def lessons(
    training: Sequence[Roll], judged: Sequence[Roll], options: VoicesOptions, how: TrainOptions
) -> VoicesLessons:
    learnt, spared = ([to_piece(roll, options) for roll in part] for part in (training, judged))
    return VoicesLessons(learnt, spared, options, how.batch_size, how.window_steps)


def player(model: Any) -> Any:
    from music_composer.symbolic.models.voices.player import VoicesPlayer

    return VoicesPlayer(model, model.options.most + 1)


def play(
    player: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
) -> list[Roll]:
    from music_composer.symbolic.models.sampling import tastes

    by_step, shift = stacked([bounds_of(request, player.model.options) for request in requests])
    for_good = [*shift, tastes([options] * len(requests))]
    chords, manners = play_drafts(player, by_step, for_good, rngs, search_of(requests, options))
    return [
        to_roll(chord, manner, player.model.options, request.kept)
        for chord, manner, request in zip(chords, manners, requests, strict=True)
    ]


def likelihood(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    return likelihood_of(model.predict_on_batch, [to_piece(roll, model.options) for roll in rolls], model.options)


def likelihood_in_any_key(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    """The same where nobody says how a piece was transposed."""
    return any_key(model.predict_on_batch, [to_piece(roll, model.options) for roll in rolls], model.options)
