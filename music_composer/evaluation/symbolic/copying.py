"""How much of a piece stands in other music note by note, in any key: copied windows, the longest run of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

WINDOW = 16  # steps
DRAWS = 1000  # of whole pieces, for the interval


@dataclasses.dataclass(frozen=True)
class Copies:
    """Of one piece. windows: how many there are; copied: how many stand in the music it is compared with.

    run: steps of the longest stretch of which every window does, from step `at` on; it begins as `source`, a number
    of the music that it is compared with, does at step `source_at`. Without copies run is 0.
    """

    windows: int
    copied: int
    run: int = 0
    at: int = 0
    source: int = 0
    source_at: int = 0


def windows_of(active: np.ndarray) -> dict[int, bytes]:
    """Every 16 steps in which something changes, whatever key they are in, by the step that they begin with.

    sounding: bool (steps, pitches).
    """
    found = {}
    changes = np.concatenate([[0], np.cumsum((active[1:] != active[:-1]).any(axis=1))])
    for start in range(len(active) - WINDOW + 1):
        if changes[start] == changes[start + WINDOW - 1]:
            continue  # a chord that is held is nobody's
        window = active[start : start + WINDOW]
        lowest = int(np.argmax(window.any(axis=0)))
        found[start] = hashlib.blake2b(np.packbits(np.roll(window, -lowest, axis=1)).tobytes(), digest_size=8).digest()
    return found


def index_of(pieces: Sequence[np.ndarray]) -> dict[bytes, tuple[int, int]]:
    """Where each window of some pieces stands first: (piece, step)."""
    index: dict[bytes, tuple[int, int]] = {}
    for number, piece in enumerate(pieces):
        for step, window in windows_of(piece).items():
            index.setdefault(window, (number, step))
    return index


def copies_in(piece: np.ndarray, index: Mapping[bytes, tuple[int, int]]) -> Copies:
    """What of a piece, bool (steps, pitches), stands in the music of the index."""
    windows = windows_of(piece)
    places = {step: index[window] for step, window in windows.items() if window in index}
    best, begin = Copies(len(windows), len(places)), 0
    for step in sorted(places):
        if step - 1 not in places:
            begin = step
        run = step - begin + WINDOW
        if run > best.run:
            best = Copies(len(windows), len(places), run, begin, *places[begin])
    return best


def copied_share(found: Sequence[Copies], seed: int = 0) -> tuple[float, float, float]:
    """Copied windows among all, and the 95 % interval of that, drawn by whole pieces."""
    counts = np.array([(each.copied, each.windows) for each in found], float).reshape(-1, 2)
    if not counts[:, 1].sum():
        return 0.0, 0.0, 0.0
    chosen = np.random.default_rng(seed).integers(0, len(counts), (DRAWS, len(counts)))
    copied, windows = np.moveaxis(counts[chosen].sum(axis=1), -1, 0)
    low, high = np.quantile(copied / np.maximum(windows, 1), (0.025, 0.975))
    share = counts[:, 0].sum() / counts[:, 1].sum()
    return float(share), float(low), float(high)
