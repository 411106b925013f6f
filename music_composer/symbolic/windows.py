"""Where pieces are cut into windows."""

from __future__ import annotations

import numpy as np


def windows_in(length: int, window: int) -> int:
    """The fewest windows that cover a piece; one at least."""
    return max(1, -(-length // window))


def starts_of(length: int, window: int, rng: np.random.Generator) -> list[int]:
    """Where the fewest windows that cover a piece begin; where they overlap is random."""
    count = windows_in(length, window)
    spare = max(0, count * window - length)
    early = np.sort(rng.integers(0, spare + 1, count))
    early[0], early[-1] = 0, spare
    return [max(0, i * window - int(early[i])) for i in range(count)]
