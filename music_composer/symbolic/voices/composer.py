"""The voices model as the journey knows it: see symbolic/composers.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.options import PlayOptions, VoicesOptions
from music_composer.symbolic.request import Request
from music_composer.symbolic.voices.bounds import bounds_of
from music_composer.symbolic.voices.encoding import to_piece, to_roll
from music_composer.symbolic.voices.lessons import Piece, VoicesLessons, voices_inputs
from music_composer.symbolic.voices.likelihood import likelihood_of
from music_composer.values import Roll


def build(options: VoicesOptions) -> Any:
    from music_composer.symbolic.voices.network import Voices

    model = Voices(options)
    nothing = Piece(np.zeros((1, options.pitches), bool), np.zeros((1, options.clock), np.float32))
    model(voices_inputs([nothing], [0], options, 2))
    return model


def lessons(
    training: Sequence[Roll], judged: Sequence[Roll], options: VoicesOptions, how: TrainOptions
) -> VoicesLessons:
    learnt, spared = ([to_piece(roll, options) for roll in part] for part in (training, judged))
    return VoicesLessons(learnt, spared, options, how.batch_size, how.window_steps)


def play(
    model: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
) -> list[Roll]:
    from music_composer.symbolic.voices.generate import play_within
    from music_composer.symbolic.voices.player import VoicesPlayer

    samples = [bounds_of(request, model.options) for request in requests]
    player = VoicesPlayer(model, model.options.most + 1)
    # Where nothing is locked that is to come, one draft is as good as many.
    drafts = options.drafts if any(_keeps_what_is_to_come(request) for request in requests) else 1
    chords, manners = play_within(player, samples, rngs, options.temperature, drafts)
    return [
        to_roll(chord, manner, model.options, request.kept)
        for chord, manner, request in zip(chords, manners, requests, strict=True)
    ]


def likelihood(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    return likelihood_of(model.predict_on_batch, [to_piece(roll, model.options) for roll in rolls], model.options)


def _keeps_what_is_to_come(request: Request) -> bool:
    return bool(request.kept.sounding[request.primed :].any())
