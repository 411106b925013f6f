"""Quantises the outputs of networks to codes: the most frequent output becomes the most frequent code, and so on.

This is bach_generator's quantiser for all networks at once. Outputs are scaled and rounded to `levels`, whole numbers
from 0 to the number of symbols. If there are more levels than symbols, the last level becomes code 0.
"""

from __future__ import annotations

import dataclasses

import numpy as np

TOLERANCE = 1e-9  # of a level, or relative to an output: a smaller difference may be rounding


@dataclasses.dataclass(frozen=True)
class Quantised:
    """The outputs of networks as codes.

    levels: int (networks, symbols), from 0. codes: int (networks, levels), the code of each level. counts: of each
    level, int (networks, levels). places: int (networks, symbols), flat indices of the levels in (networks, levels).
    unsure: bool (networks,), whether the result depends on the last bits of the outputs.
    """

    levels: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    places: np.ndarray
    unsure: np.ndarray

    @property
    def decoded(self) -> np.ndarray:
        """The code of each symbol, int (networks, symbols)."""
        return np.take_along_axis(self.codes, self.levels, axis=1)


def by_frequency(codes: np.ndarray) -> np.ndarray:
    """The distinct codes by falling frequency; of equally frequent ones, the first to appear comes first."""
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return found[np.lexsort((first, -counts))]


def quantised(outputs: np.ndarray, ranked: np.ndarray) -> Quantised:
    """Quantises outputs, float64 (networks, symbols).

    ranked: the codes by falling frequency, from `by_frequency`.
    """
    (networks, symbols), width = outputs.shape, len(ranked) + 1
    lowest = outputs.min(axis=1, keepdims=True)
    scaled = outputs - lowest
    spread = scaled.max(axis=1, keepdims=True)
    scaled /= np.where(spread > 0, spread / len(ranked), 1.0)
    rounded = np.rint(scaled)
    # Close to a rounding edge, or with a spread near the rounding error, the last bits decide.
    halfway = np.abs(scaled - rounded).max(axis=1) > 0.5 - TOLERANCE
    constant = (spread > 0) & (spread < TOLERANCE * np.maximum(np.abs(lowest), np.abs(lowest + spread)))
    levels = rounded.astype(np.intp)
    places = levels + np.arange(networks)[:, None] * width
    counts = np.bincount(places.reshape(-1), minlength=networks * width).reshape(networks, width)
    first = np.zeros(networks * width, np.intp)
    # Assignment keeps the last of several values: in reverse order, that is the first appearance.
    first[places[:, ::-1]] = np.arange(symbols - 1, -1, -1)
    order = np.argsort(first.reshape(networks, width) - counts * symbols, axis=1, kind="stable")
    codes = np.zeros((networks, width), np.intp)
    np.put_along_axis(codes, order, np.append(ranked, 0)[None], axis=1)
    return Quantised(levels, codes, counts, places, halfway | constant[:, 0])
