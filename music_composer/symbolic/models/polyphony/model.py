"""The polyphony model as the journey knows it: see symbolic/composition/registry.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.particles import play_drafts, search_of
from music_composer.symbolic.models.polyphony.batches import EventLessons, event_inputs, to_lesson
from music_composer.symbolic.models.polyphony.events import PITCHES, VELOCITY
from music_composer.symbolic.options import PlayOptions, PolyphonyOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.values import Roll

ROUND = 256  # events: pieces are filled up to a multiple of so many, since every other length is another graph


def fitted(options: PolyphonyOptions, training: Sequence[Roll]) -> PolyphonyOptions:
    return options


def build(options: PolyphonyOptions) -> Any:
    from music_composer.symbolic.models.polyphony.network import Polyphony

    model = Polyphony(options)
    none = np.zeros((1, PITCHES), np.uint8)
    model([each[None] for each in event_inputs(to_lesson(Roll(none, none.astype(bool)), options), 0, 2)])
    return model


def lessons(
    training: Sequence[Roll], judged: Sequence[Roll], options: PolyphonyOptions, how: TrainOptions
) -> EventLessons:
    learnt, spared = ([to_lesson(roll, options) for roll in part] for part in (training, judged))
    return EventLessons(learnt, spared, how.batch_size, how.window_steps, options)


def player(model: Any) -> Any:
    from music_composer.symbolic.models.polyphony.player import PolyphonyPlayer

    return PolyphonyPlayer(model)


def play(
    player: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
) -> list[Roll]:
    from music_composer.symbolic.models.sampling import tastes

    model = player.model.options
    by_step = [np.stack(each) for each in zip(*(_by_step(request, model) for request in requests), strict=True)]
    taste = tastes([options] * len(requests))
    sounding, struck = play_drafts(player, by_step, [taste], rngs, search_of(requests, options))
    return [
        Roll(np.where(row, VELOCITY, 0).astype(np.uint8), new & row, *_grid(request.kept))
        for row, new, request in zip(sounding, struck, requests, strict=True)
    ]


def likelihood(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    found = []
    for roll in rolls:
        piece = to_lesson(roll, model.options)
        events = len(piece.events) - 1
        inputs = event_inputs(piece, 0, -(-events // ROUND) * ROUND)
        each = np.asarray(model.predict_on_batch([part[None] for part in inputs]))[0, :events]
        # That the piece ends is said with its last step.
        steps = np.minimum(piece.step, max(0, piece.steps - 1))
        found.append(np.bincount(steps, weights=each, minlength=piece.steps)[: piece.steps])
    return found


def _by_step(request: Request, options: PolyphonyOptions) -> list[np.ndarray]:
    """clock, allowed, locked and fullest, as the player takes them."""
    from music_composer.symbolic.models.polyphony.player import FREE, HELD

    kept = request.kept
    locked = np.where(kept.sounding, np.where(kept.struck, HELD + 1, HELD), FREE).astype(np.int32)
    room = min(options.most, request.fullest or options.most) - kept.sounding.sum(axis=1)
    fullest = np.where(request.open_steps, np.maximum(room, 0), 0).astype(np.int32)
    allowed = np.tile(request.pitches.astype(np.float32), (request.steps, 1))
    return [bar_clock(kept), allowed, locked, fullest]


def _grid(roll: Roll) -> tuple[int, tuple[tuple[int, float], ...], tuple[tuple[int, int, int], ...]]:
    return roll.per_quarter, roll.tempos, roll.metres
