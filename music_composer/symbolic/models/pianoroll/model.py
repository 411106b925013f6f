"""The piano-roll model as the journey knows it: see symbolic/composition/registry.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.constraints import VELOCITY, Request
from music_composer.symbolic.models.particles import play_drafts, search_of
from music_composer.symbolic.models.pianoroll.batches import WordLessons, WordPiece, numbers_of, to_lesson, word_inputs
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS, vocabulary_of
from music_composer.symbolic.options import PianorollOptions, PlayOptions
from music_composer.symbolic.roll import PITCHES, bar_clock
from music_composer.values import Roll

ROUND = 128  # steps: pieces are filled up to a multiple of so many, since every other length is another graph
CHANGE = 1 / 8  # probability that a key of an unknown word differs from the step before


def fitted(options: PianorollOptions, training: Sequence[Roll]) -> PianorollOptions:
    """With the words of the training music."""
    return dataclasses.replace(options, words=vocabulary_of(training, options.most_words))


def build(options: PianorollOptions) -> Any:
    from music_composer.symbolic.models.pianoroll.network import Pianoroll

    model = Pianoroll(options)
    none = np.zeros((1, PITCHES), np.uint8)
    piece = to_lesson(Roll(none, none.astype(bool)), numbers_of(options), options.fades)
    model([each[None] for each in word_inputs(piece, 0, 2)])
    return model


def lessons(
    training: Sequence[Roll], judged: Sequence[Roll], options: PianorollOptions, how: TrainOptions
) -> WordLessons:
    numbers = numbers_of(options)
    learnt, spared = ([to_lesson(roll, numbers, options.fades) for roll in part] for part in (training, judged))
    return WordLessons(learnt, spared, how.batch_size, how.window_steps)


def player(model: Any) -> Any:
    from music_composer.symbolic.models.pianoroll.player import PianorollPlayer

    return PianorollPlayer(model)


def play(
    player: Any, requests: Sequence[Request], options: PlayOptions, rngs: Sequence[np.random.Generator]
) -> list[Roll]:
    from music_composer.symbolic.models.sampling import tastes

    by_step = [np.stack(each) for each in zip(*map(_by_step, requests), strict=True)]
    stability = np.full(len(requests), options.note_stability, np.float32)
    for_good = [tastes([options] * len(requests)), stability]
    (played,) = play_drafts(player, by_step, for_good, rngs, search_of(requests, options))
    return [_to_roll(keys > 0, request.kept) for keys, request in zip(played, requests, strict=True)]


def likelihood(model: Any, rolls: Sequence[Roll]) -> list[np.ndarray]:
    """Of a word that is not in the vocabulary: that of being none, and then of its keys given those before."""
    numbers, found = numbers_of(model.options), []
    for roll in rolls:
        piece = to_lesson(roll, numbers, model.options.fades)
        inputs = word_inputs(piece, 0, max(1, -(-piece.steps // ROUND)) * ROUND)
        each = np.asarray(model.predict_on_batch([part[None] for part in inputs]))[0, : piece.steps]
        found.append(each + np.where(piece.words == len(numbers), _of_unknown(piece), 0.0))
    return found


def _of_unknown(piece: WordPiece) -> np.ndarray:
    """Natural log likelihood of the keys of each step, given those before: each pitch stays or changes by itself.

    A pitch is silent, held on or struck; what was silent cannot be held on.
    """
    struck, held = piece.keys[:, :PITCHES], piece.keys[:, PITCHES:]
    before = np.concatenate([np.zeros_like(held[:1]), (struck | held)[:-1]])
    stays = np.where(before, held, ~struck & ~held)
    likely = np.where(stays, 1 - CHANGE, np.where(before, CHANGE / 2, CHANGE))
    return np.log(likely).sum(axis=1)


def _by_step(request: Request) -> list[np.ndarray]:
    """clock, allowed, locked and fullest, as the player takes them."""
    kept = request.kept
    room = (request.fullest or KEYS) - kept.sounding.sum(axis=1)
    fullest = np.where(request.open_steps, np.maximum(room, 0), 0).astype(np.int32)
    allowed = np.tile(request.pitches.astype(np.float32), (request.steps, 1))
    return [bar_clock(kept), allowed, kept.sounding.astype(np.float32), fullest]


def _to_roll(keys: np.ndarray, like: Roll) -> Roll:
    struck, held = keys[:, :PITCHES], keys[:, PITCHES:]
    velocity = np.where(struck | held, VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, struck, like.per_quarter, like.tempos, like.metres)
