"""Several drafts of each sample, side by side; every few steps some of them give way to copies of others.

Where notes are locked later than others are drawn, one pass would draw without knowing what is to come: drafts that
left little room for what was locked give way to those that left more (sequential Monte Carlo, Gordon, Salmond & Smith
1993). What comes out is drawn, the more drafts the nearer, from the model's pieces in which these notes sound. Or,
with a beam, the likeliest go on (stochastic beam search as in Magenta's polyphony_rnn, 2016).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from music_composer.symbolic.constraints import Request
from music_composer.symbolic.options import PlayOptions
from music_composer.training.devices import playing_fast

CHUNK = 16  # steps between two looks at the drafts
FEWEST = 0.5  # share of the drafts that must be worth something, or they are drawn anew


class Player(Protocol):
    """A compiled model that plays some steps.

    Input: draws (batch, steps, *`draws`) even in 0 to 1, what holds by step (batch, steps, ...), what holds for good
    (batch, ...), and the state. Output: `parts` arrays of what was played (batch, steps, ...), the logarithm of what
    share of everything each step was drawn from, (batch, steps), that of its probability there, and the state.
    """

    parts: int
    draws: tuple[int, ...]

    def initial_state(self, batch: int) -> list[np.ndarray]: ...

    def predict_on_batch(self, inputs: list[np.ndarray]) -> list[np.ndarray]: ...


@dataclasses.dataclass(frozen=True)
class Search:
    """drafts: of each sample. beam: how many of them, the likeliest, go on, each in as many copies; 0 where drafts go
    on by how well they fit what is locked. chunk: steps between two looks.
    """

    drafts: int = 1
    beam: int = 0
    chunk: int = CHUNK


def search_of(requests: Sequence[Request], options: PlayOptions) -> Search:
    """How to search: by a beam where one is asked for; by drafts where something is locked that is to come."""
    if options.beam_size * options.branch_factor > 1:
        return Search(options.beam_size * options.branch_factor, options.beam_size, options.steps_per_iteration)
    to_come = any(request.kept.sounding[request.primed :].any() for request in requests)
    return Search(options.drafts if to_come else 1)


def play_drafts(
    player: Player,
    by_step: Sequence[np.ndarray],
    for_good: Sequence[np.ndarray],
    rngs: Sequence[np.random.Generator],
    search: Search = Search(),
) -> list[np.ndarray]:
    """What was played, (samples, steps, ...) each.

    by_step (samples, steps, ...), for_good (samples, ...). A sample depends on its own inputs and random
    generator alone.
    """
    samples, steps = by_step[0].shape[:2]
    state = player.initial_state(samples * search.drafts)
    weights = np.zeros((samples, search.drafts))
    fixed = [np.repeat(each, search.drafts, axis=0) for each in for_good]
    played: list[np.ndarray] = []
    for first in range(0, steps, search.chunk):
        at = np.minimum(np.arange(first, first + search.chunk), steps - 1)  # the last ones are repeated at the end
        now = [np.repeat(each[:, at], search.drafts, axis=0) for each in by_step]
        shape = (search.drafts, search.chunk, *player.draws)
        draws = np.concatenate([rng.random(shape, np.float32) for rng in rngs])
        with playing_fast():
            found = player.predict_on_batch([draws, *now, *fixed, *state])
        kept = min(search.chunk, steps - first)
        new = [each[:, :kept] for each in found[: player.parts]]
        shares, likely = (each[:, :kept].sum(axis=1).reshape(weights.shape) for each in found[player.parts :][:2])
        state = found[player.parts + 2 :]
        last = first + search.chunk >= steps
        weights, chosen = _likeliest(weights + likely, search.beam, last) if search.beam else _drawn_anew(
            weights + shares, rngs, last
        )  # fmt: skip
        played = [np.concatenate(pair, axis=1) for pair in zip(played, new, strict=True)] if played else new
        played, state = ([each[chosen] for each in arrays] for arrays in (played, state))
    return [each[:: search.drafts] for each in played]


def _drawn_anew(weights: np.ndarray, rngs: Sequence[np.random.Generator], last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Which drafts go on, as indices (samples * drafts,), and their weights, logarithms (samples, drafts).

    At the last look the first draft is one drawn by weight: the one that is kept.
    """
    drafts = weights.shape[1]
    chosen = np.arange(weights.size).reshape(weights.shape)
    weights = weights - weights.max(axis=1, keepdims=True)
    for i, rng in enumerate(rngs):
        share = np.exp(weights[i]) / np.exp(weights[i]).sum()
        place = rng.random()  # drawn in any case, so that what is played later does not depend on the weights
        if last or 1 / (share**2).sum() < FEWEST * drafts:
            spread = (place + np.arange(drafts)) / drafts if not last else np.full(drafts, place)
            found = np.searchsorted(np.cumsum(share), spread, side="right")
            chosen[i] = i * drafts + np.minimum(found, drafts - 1)
            weights[i] = 0.0
    return weights, chosen.reshape(-1)


def _likeliest(weights: np.ndarray, beam: int, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """The same for a beam: the likeliest go on, each in as many copies; at the last look, the likeliest of all."""
    samples, drafts = weights.shape
    order = np.argsort(-weights, axis=1, kind="stable")[:, : 1 if last else beam]
    best: Any = np.repeat(order, drafts // order.shape[1], axis=1)
    return np.take_along_axis(weights, best, axis=1), (best + np.arange(samples)[:, None] * drafts).reshape(-1)
