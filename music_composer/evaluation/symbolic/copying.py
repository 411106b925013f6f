"""Detects copies: windows of a piece that occur note by note in other music, in any key, and their longest run."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

WINDOW = 16  # steps
DRAWS = 1000  # bootstrap samples


@dataclasses.dataclass(frozen=True)
class Copies:
    """The copies in one piece.

    windows: how many it has; copied: how many of them occur in the reference music. run: steps of the longest run of
    copied windows, from step `at` on; 0 without copies. It begins like piece `source` of the reference at step
    `source_at`.
    """

    windows: int
    copied: int
    run: int = 0
    at: int = 0
    source: int = 0
    source_at: int = 0


def windows_of(active: np.ndarray) -> dict[int, bytes]:
    """Hashes of all windows of 16 steps in which something changes, by their first step, equal in all keys.

    active: bool (steps, pitches).
    """
    found = {}
    changes = np.concatenate([[0], np.cumsum((active[1:] != active[:-1]).any(axis=1))])
    for start in range(len(active) - WINDOW + 1):
        if changes[start] == changes[start + WINDOW - 1]:
            continue  # a held chord is no copy
        window = active[start : start + WINDOW]
        # Shifted to its lowest pitch: the hash is the same in every key.
        lowest = int(np.argmax(window.any(axis=0)))
        found[start] = hashlib.blake2b(np.packbits(np.roll(window, -lowest, axis=1)).tobytes(), digest_size=8).digest()
    return found


def index_of(pieces: Sequence[np.ndarray]) -> dict[bytes, tuple[int, int]]:
    """The first occurrence of each window of the reference music, as (piece, step)."""
    index: dict[bytes, tuple[int, int]] = {}
    for number, piece in enumerate(pieces):
        for step, window in windows_of(piece).items():
            index.setdefault(window, (number, step))
    return index


def copies_in(piece: np.ndarray, index: Mapping[bytes, tuple[int, int]]) -> Copies:
    """The copies in a piece, bool (steps, pitches), of the music in an index."""
    windows = windows_of(piece)
    places = {step: index[window] for step, window in windows.items() if window in index}
    best, begin = Copies(len(windows), len(places)), 0
    for step in sorted(places):
        # A run is a sequence of copied windows, each a step after the last.
        if step - 1 not in places:
            begin = step
        run = step - begin + WINDOW
        if run > best.run:
            best = Copies(len(windows), len(places), run, begin, *places[begin])
    return best


def copied_share(found: Sequence[Copies], seed: int = 0) -> tuple[float, float, float]:
    """The share of copied windows, and its 95 % confidence interval by a bootstrap over pieces."""
    counts = np.array([(copies.copied, copies.windows) for copies in found], float).reshape(-1, 2)
    if not counts[:, 1].sum():
        return 0.0, 0.0, 0.0
    # Whole pieces are drawn: windows of a piece are not independent.
    chosen = np.random.default_rng(seed).integers(0, len(counts), (DRAWS, len(counts)))
    copied, windows = np.moveaxis(counts[chosen].sum(axis=1), -1, 0)
    low, high = np.quantile(copied / np.maximum(windows, 1), (0.025, 0.975))
    share = counts[:, 0].sum() / counts[:, 1].sum()
    return float(share), float(low), float(high)
