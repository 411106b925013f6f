"""Draws one of several choices: within what is possible, with temperature, top-k and top-p."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from music_composer.symbolic.play_options import SamplingOptions

Tensor = Any
NEVER = -1e9  # a logit whose probability is 0 in float32


def sampling_parameters(options: Sequence[SamplingOptions]) -> np.ndarray:
    """Temperature, top-k and top-p of each sample, float32 (samples, 3)."""
    return np.array([(sample.temperature, sample.top_k, sample.top_p or 0.0) for sample in options], np.float32)


def sample(log_probs: Tensor, possible: Tensor, sampling: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draws one possible choice for each row.

    log_probs: (batch, choices). possible: bool (batch, choices). sampling: see `sampling_parameters`.
    uniform: random numbers in 0 to 1, (batch, 1).

    Returns the choice, int32 (batch, 1); the log of the total probability of the possible choices, (batch,); and the
    log probability of the choice among them, after top-k and top-p, (batch,).
    """
    log_probs = log_probs / sampling[:, :1]
    log_probs = ops.where(possible, log_probs - ops.logsumexp(log_probs, axis=-1, keepdims=True), NEVER)
    log_mass = ops.logsumexp(log_probs, axis=-1, keepdims=True)
    log_probs = log_probs - log_mass
    # Sorting costs more than the rest: it is skipped while no row truncates.
    log_probs = ops.cond(
        ops.any(sampling[:, 1:] > 0), lambda: truncate(log_probs, sampling), lambda: log_probs
    )  # fmt: skip
    cumulative = ops.cumsum(ops.exp(log_probs), axis=-1)
    # The sum may end below 1 by rounding; scaled by it, every uniform number finds a choice.
    chosen = ops.argmax(ops.cast((cumulative > uniform * cumulative[:, -1:]) & possible, "float32"), axis=-1)
    chosen = ops.cast(chosen, "int32")[:, None]
    return chosen, log_mass[:, 0], ops.take_along_axis(log_probs, chosen, axis=-1)[:, 0]


def truncate(log_probs: Tensor, sampling: Tensor) -> Tensor:
    """Keeps the k likeliest choices (Fan et al. 2018) and the fewest whose sum reaches p (Holtzman et al. 2020).

    A k or p of 0 keeps everything. Returns log probabilities, (batch, choices), that are normalised again.
    """
    choices = log_probs.shape[-1]
    descending = -ops.sort(-log_probs, axis=-1)
    rank = ops.cast(ops.arange(choices), "float32")[None]
    before = ops.cumsum(ops.exp(descending), axis=-1) - ops.exp(descending)
    top_k, top_p = sampling[:, 1:2], sampling[:, 2:3]
    kept = ((top_k == 0) | (rank < top_k)) & ((top_p == 0) | (before < top_p))
    threshold = ops.min(ops.where(kept, descending, 0.0), axis=-1, keepdims=True)
    log_probs = ops.where(log_probs >= threshold, log_probs, NEVER)
    return log_probs - ops.logsumexp(log_probs, axis=-1, keepdims=True)
