"""Drawing one of several choices, within what is allowed and as boldly as is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from music_composer.symbolic.options import PlayOptions

Tensor = Any
NEVER = -1e9


def tastes(options: Sequence[PlayOptions]) -> np.ndarray:
    """What `drawn` is told of each sample, float (samples, 3): temperature, top-k and top-p."""
    return np.array([(each.temperature, each.top_k, each.top_p or 0.0) for each in options], np.float32)


def drawn(weight: Tensor, open_: Tensor, taste: Tensor, draw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draws one of those that are open, int (batch, 1); the logarithm of the share of all that these are, (batch,);
    and of the probability of what was drawn among them, (batch,).

    weight: log probabilities (batch, choices). taste: see `tastes`. draw: even in 0 to 1, (batch, 1).
    """
    weight = weight / taste[:, :1]
    weight = ops.where(open_, weight - ops.logsumexp(weight, axis=-1, keepdims=True), NEVER)
    whole = ops.logsumexp(weight, axis=-1, keepdims=True)
    likely = weight - whole
    likely = ops.cond(ops.any(taste[:, 1:] > 0), lambda: narrowed(likely, taste), lambda: likely)
    reached = ops.cumsum(ops.exp(likely), axis=-1)
    chosen = ops.argmax(ops.cast((reached > draw * reached[:, -1:]) & open_, "float32"), axis=-1)
    chosen = ops.cast(chosen, "int32")[:, None]
    return chosen, whole[:, 0], ops.take_along_axis(likely, chosen, axis=-1)[:, 0]


def narrowed(likely: Tensor, taste: Tensor) -> Tensor:
    """Log probabilities without all but the `top-k` likeliest choices (Fan et al. 2018), and all but the fewest that
    together reach `top-p` (Holtzman et al. 2020). 0 leaves everything.
    """
    choices = likely.shape[-1]
    falling = -ops.sort(-likely, axis=-1)
    place = ops.cast(ops.arange(choices), "float32")[None]
    before = ops.cumsum(ops.exp(falling), axis=-1) - ops.exp(falling)
    top_k, top_p = taste[:, 1:2], taste[:, 2:3]
    kept = ((top_k == 0) | (place < top_k)) & ((top_p == 0) | (before < top_p))
    least = ops.min(ops.where(kept, falling, 0.0), axis=-1, keepdims=True)
    likely = ops.where(likely >= least, likely, NEVER)
    return likely - ops.logsumexp(likely, axis=-1, keepdims=True)
