"""Searches for good samples with particles: several versions of each sample that run side by side.

Notes may be fixed at later steps than the current one. A single pass does not see them coming. A particle filter
(sequential Monte Carlo; Gordon, Salmond & Smith 1993) draws particles anew every few steps, by how well they fit the
fixed notes. With more particles, samples come closer to the model's distribution given all fixed notes. A beam instead
keeps the likeliest particles (stochastic beam search, as in Magenta's polyphony_rnn, 2016).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.play_options import SearchOptions
from music_composer.training.devices import playing_fast

CHUNK_STEPS = 16
MIN_EFFECTIVE_SHARE = 0.5  # of the particles; below this effective sample size they are drawn anew


class Steps(NamedTuple):
    """What a player returns for a chunk of steps.

    outputs: arrays of the notes, each (batch, steps, ...). log_mass: log of the share of the model's probability that
    the constraints leave, (batch, steps). log_prob: log probability of the choices within that share, (batch, steps).
    state: the player's state after the last step, arrays (batch, ...), nested in tuples.
    """

    outputs: tuple[Any, ...]
    log_mass: Any
    log_prob: Any
    state: Any


class Player(Protocol):
    """A compiled model that plays a chunk of steps.

    Input: random numbers in 0 to 1, (batch, steps, *draw_shape); the inputs of each step, (batch, steps, ...); the
    inputs of each sample, (batch, ...); and the state. Output: `Steps`.
    """

    draw_shape: tuple[int, ...]

    def initial_state(self, batch: int) -> Any: ...

    def predict_on_batch(self, inputs: list[Any]) -> Steps: ...


@dataclasses.dataclass(frozen=True)
class Search:
    """How to search.

    particles: for each sample. beam: how many likeliest particles continue, in equally many copies; 0 resamples by fit
    to the fixed notes. chunk: steps between two selections.
    """

    particles: int = 1
    beam: int = 0
    chunk: int = CHUNK_STEPS


def search_of(constraint_sets: Sequence[Constraints], options: SearchOptions) -> Search:
    """A beam if the options ask for one; several particles if notes are fixed after the first editable step."""
    if options.beam_size * options.branch_factor > 1:
        return Search(options.beam_size * options.branch_factor, options.beam_size, options.steps_per_iteration)
    fixed_later = any(constraints.fixed.active[constraints.primer_steps :].any() for constraints in constraint_sets)
    return Search(options.drafts if fixed_later else 1)


def batch_of(step_inputs: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """The step inputs of samples, (steps, ...) each, as those of a batch, (samples, steps, ...) each."""
    return [np.stack(arrays) for arrays in zip(*step_inputs, strict=True)]


def play_particles(
    player: Player,
    step_inputs: Sequence[np.ndarray],
    sample_inputs: Sequence[np.ndarray],
    rngs: Sequence[np.random.Generator],
    search: Search = Search(),
) -> list[np.ndarray]:
    """Plays a batch of samples and returns the player's outputs, each (samples, steps, ...).

    step_inputs: (samples, steps, ...) each. sample_inputs: (samples, ...) each. rngs: one for each sample. A sample
    depends on its own inputs and its own generator alone.
    """
    samples, steps = step_inputs[0].shape[:2]
    state = player.initial_state(samples * search.particles)
    log_weights = np.zeros((samples, search.particles))
    repeated_inputs = [np.repeat(array, search.particles, axis=0) for array in sample_inputs]
    outputs: list[np.ndarray] = []
    for first in range(0, steps, search.chunk):
        # The last chunk repeats the last step, so that every chunk is as long and runs through the same graph.
        indices = np.minimum(np.arange(first, first + search.chunk), steps - 1)
        chunk_inputs = [np.repeat(array[:, indices], search.particles, axis=0) for array in step_inputs]
        shape = (search.particles, search.chunk, *player.draw_shape)
        uniform = np.concatenate([rng.random(shape, np.float32) for rng in rngs])
        with playing_fast():
            chunk = player.predict_on_batch([uniform, *chunk_inputs, *repeated_inputs, state])
        count = min(search.chunk, steps - first)
        is_last = first + search.chunk >= steps
        log_mass, log_prob = (
            array[:, :count].sum(axis=1).reshape(log_weights.shape) for array in (chunk.log_mass, chunk.log_prob)
        )
        if search.beam:
            log_weights, chosen = _prune(log_weights + log_prob, search.beam, is_last)
        else:
            log_weights, chosen = _resample(log_weights + log_mass, rngs, is_last)
        new = [array[:, :count] for array in chunk.outputs]
        outputs = [np.concatenate(pair, axis=1) for pair in zip(outputs, new, strict=True)] if outputs else new
        outputs = [array[chosen] for array in outputs]
        # Particles that continue take their state along.
        state = _take(chunk.state, chosen)
    return [array[:: search.particles] for array in outputs]


def _take(state: Any, rows: np.ndarray) -> Any:
    """Rows of every array of a state; a state is an array, or a (named) tuple of states."""
    if not isinstance(state, tuple | list):
        return state[rows]
    taken = [_take(part, rows) for part in state]
    return type(state)(*taken) if hasattr(state, "_fields") else type(state)(taken)


def _resample(
    log_weights: np.ndarray, rngs: Sequence[np.random.Generator], is_last: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Systematic resampling where few particles carry most of the weight.

    Returns the log weights, (samples, particles), and the particles that continue, as indices (samples * particles,).
    At the last selection the first particle of a sample is one drawn by weight: the one that is returned.
    """
    particles = log_weights.shape[1]
    chosen = np.arange(log_weights.size).reshape(log_weights.shape)
    # Relative weights are enough; the largest becomes 1, so that exp does not underflow for all.
    log_weights = log_weights - log_weights.max(axis=1, keepdims=True)
    for i, rng in enumerate(rngs):
        weights = np.exp(log_weights[i]) / np.exp(log_weights[i]).sum()
        offset = rng.random()  # always drawn, so that later random numbers do not depend on the weights
        if is_last or 1 / (weights**2).sum() < MIN_EFFECTIVE_SHARE * particles:
            # Evenly spaced positions with one offset have less variance than independent ones.
            positions = np.full(particles, offset) if is_last else (offset + np.arange(particles)) / particles
            found = np.searchsorted(np.cumsum(weights), positions, side="right")
            chosen[i] = i * particles + np.minimum(found, particles - 1)
            log_weights[i] = 0.0
    return log_weights, chosen.reshape(-1)


def _prune(log_probs: np.ndarray, beam: int, is_last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Keeps the likeliest particles, each in as many copies; at the last selection the likeliest of all.

    Returns as `_resample` does.
    """
    samples, particles = log_probs.shape
    order = np.argsort(-log_probs, axis=1, kind="stable")[:, : 1 if is_last else beam]
    best: Any = np.repeat(order, particles // order.shape[1], axis=1)
    return np.take_along_axis(log_probs, best, axis=1), (best + np.arange(samples)[:, None] * particles).reshape(-1)
