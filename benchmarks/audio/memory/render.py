"""Runs of real samples, each laid where it fits what was last heard best, faded across at constant power."""

from collections.abc import Callable

import numpy as np

from memory.cuts import RATE
from memory.steps import HOP
from memory.store import Memory

SEARCH = round(0.008 * RATE)  # samples to either side


def render(
    memory: Memory,
    sound: Callable[[int], np.ndarray],
    prompt: np.ndarray,
    runs: list[tuple[int, int]],
    seconds: float,
    fade: float = 0.03,
    colour: Callable[[np.ndarray, int, int], np.ndarray] | None = None,
) -> np.ndarray:
    """sound: the samples (n, 2) of a part of the memory. Returns what follows the prompt, (seconds * RATE, 2).

    colour: what is done to a run's samples before they are laid, given the run's first and last place.
    """
    width = round(fade * RATE)
    result = prompt[-4 * width :].copy()
    lead, due = len(result), len(result)  # due: where a run would begin if none was moved to fit
    for first, last in runs:
        part = memory.part[first]
        source = sound(part)
        late = len(result) - due
        due += (last + 1 - first) * HOP
        low, high = (first - memory.firsts[part]) * HOP, (last + 1 - memory.firsts[part]) * HOP
        if low >= width + 2 * SEARCH:
            low += late  # so that what is moved here and there never adds up
            around, tail = source[low - width - SEARCH : low + SEARCH].mean(axis=1), result[-width:].mean(axis=1)
            energy = np.convolve(around**2, np.ones(width), "valid")
            low += int(np.argmax(np.correlate(around, tail, "valid") / np.sqrt(energy + 1e-6))) - SEARCH
        piece = source[max(0, low - width) : high]
        if colour is not None:
            piece = colour(piece, first, last)
        result = _faded(result, piece, min(width, len(piece)))
    return result[lead : lead + round(seconds * RATE)]


def _faded(before: np.ndarray, after: np.ndarray, width: int) -> np.ndarray:
    """Equal power whatever the likeness of the two sides."""
    turn = np.linspace(0, np.pi / 2, width, dtype=np.float32)[:, None]
    one, other = before[-width:], after[:width]
    likeness = float((one * other).sum() / (np.sqrt((one**2).sum() * (other**2).sum()) + 1e-9))
    across = (one * np.cos(turn) + other * np.sin(turn)) / np.sqrt(1 + max(0.0, likeness) * np.sin(2 * turn))
    return np.concatenate([before[:-width], across, after[width:]])
