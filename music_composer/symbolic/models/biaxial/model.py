"""The biaxial model as the journey knows it: see symbolic/composition/registry.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.errors import OptionError
from music_composer.options import TrainOptions
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.biaxial.batches import ROUND, BitLessons, bit_inputs, to_lesson
from music_composer.symbolic.models.biaxial.notes import to_bits, to_roll
from music_composer.symbolic.models.particles import play_drafts, search_of
from music_composer.symbolic.options import BiaxialOptions, PlayOptions
from music_composer.symbolic.roll import bar_clock
from music_composer.values import Roll

BATCH, AT_ONCE = 8, 1024  # pieces, and steps of all of them, where one alone is not longer: a step is all its notes


def fitted(options: BiaxialOptions, training: Sequence[Roll]) -> BiaxialOptions:
    return options


def build(options: BiaxialOptions) -> Any:
    from music_composer.symbolic.models.biaxial.network import Biaxial

    model = Biaxial(options)
    model.build()
    return model


def lessons(training: Sequence[Roll], judged: Sequence[Roll], options: BiaxialOptions, how: TrainOptions) -> BitLessons:
    learnt, spared = ([to_lesson(roll, options) for roll in part] for part in (training, judged))
    return BitLessons(learnt, spared, how.batch_size, how.window_steps, options)


def player(model: Any) -> Any:
    from music_composer.symbolic.models.biaxial.player import BiaxialPlayer

    return BiaxialPlayer(model)


def play(
    player: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
) -> list[Roll]:
    if options.top_k:
        raise OptionError("--top-k does nothing for the biaxial model, which decides note by note: leave it out")
    model = player.model.options
    by_step = [np.stack(each) for each in zip(*(_by_step(request, model) for request in requests), strict=True)]
    # Of two choices the likelier alone reaches a top-p below its probability; below a half, always.
    sure = max(0.5, options.top_p) if options.top_p else 1.0
    ways = (options.temperature, options.conservativity, float(options.adaptive), sure)
    for_good = [np.full(len(requests), way, np.float32) for way in ways]
    (played,) = play_drafts(player, by_step, for_good, rngs, search_of(requests, options))
    return [to_roll(bits > 0, model, request.kept) for bits, request in zip(played, requests, strict=True)]


def likelihood(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    pieces = [to_lesson(roll, model.options) for roll in rolls]
    order = sorted(range(len(pieces)), key=lambda i: -pieces[i].steps)
    found: dict[int, np.ndarray] = {}
    while len(found) < len(pieces):
        longest = max(1, pieces[order[len(found)]].steps)
        numbers = order[len(found) : len(found) + max(1, min(BATCH, AT_ONCE // longest))]
        inputs = bit_inputs([(pieces[i], 0) for i in numbers], -(-longest // ROUND) * ROUND)
        for i, row in zip(numbers, model.predict_on_batch(inputs), strict=True):
            found[i] = np.asarray(row[: pieces[i].steps], np.float64)
    return [found[i] for i in range(len(pieces))]


def _by_step(request: Request, options: BiaxialOptions) -> list[np.ndarray]:
    """clock, allowed, locked and fullest, as the player takes them."""
    locked = to_bits(request.kept, options)[..., 0].astype(np.float32)
    keys = request.pitches[options.lowest : options.lowest + options.notes].astype(np.float32)
    room = (request.fullest or options.notes) - locked.sum(axis=1).astype(np.int32)
    fullest = np.where(request.open_steps, np.maximum(room, 0), 0).astype(np.int32)
    return [bar_clock(request.kept), np.tile(keys, (request.steps, 1)), locked, fullest]
