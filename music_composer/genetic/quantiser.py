"""Answers of networks to codes of notes: the most frequent answer becomes the most frequent note, and so on down.

As bach_generator's quantiser, for all networks at once. Answers are scaled to whole numbers, `levels`, from 0 to the
number of symbols; what more levels there are than symbols becomes code 0.
"""

from __future__ import annotations

import dataclasses

import numpy as np

NEAR = 1e-9  # of a level, or of an answer: what is nearer may be rounding


@dataclasses.dataclass(frozen=True)
class Quantised:
    """levels: int (networks, symbols), from 0. codes: int (networks, levels), of the note that each level became.

    counts: of each level, int (networks, levels). places: int (networks, symbols), of each level in (networks, levels),
    flattened. unsure: bool (networks,), where it depends on the last bits of the answers what is played.
    """

    levels: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    places: np.ndarray
    unsure: np.ndarray

    @property
    def decoded(self) -> np.ndarray:
        """Codes, int (networks, symbols)."""
        return np.take_along_axis(self.codes, self.levels, axis=1)


def by_frequency(codes: np.ndarray) -> np.ndarray:
    """The codes there are, the most frequent first; of those as frequent, the one that appears first."""
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return found[np.lexsort((first, -counts))]


def quantised(answers: np.ndarray, ranked: np.ndarray) -> Quantised:
    """answers: float64 (networks, symbols). ranked: the codes by frequency, as `by_frequency` gives them."""
    (networks, symbols), width = answers.shape, len(ranked) + 1
    least = answers.min(axis=1, keepdims=True)
    scaled = answers - least
    most = scaled.max(axis=1, keepdims=True)
    scaled /= np.where(most > 0, most / len(ranked), 1.0)
    rounded = np.rint(scaled)
    halfway = np.abs(scaled - rounded).max(axis=1) > 0.5 - NEAR
    alike = (most > 0) & (most < NEAR * np.maximum(np.abs(least), np.abs(least + most)))
    levels = rounded.astype(np.intp)
    places = levels + np.arange(networks)[:, None] * width
    counts = np.bincount(places.reshape(-1), minlength=networks * width).reshape(networks, width)
    first = np.zeros(networks * width, np.intp)
    # Of several values for one place the last one stays: backwards, that is the first appearance.
    first[places[:, ::-1]] = np.arange(symbols - 1, -1, -1)
    order = np.argsort(first.reshape(networks, width) - counts * symbols, axis=1, kind="stable")
    codes = np.zeros((networks, width), np.intp)
    np.put_along_axis(codes, order, np.append(ranked, 0)[None], axis=1)
    return Quantised(levels, codes, counts, places, halfway | alike[:, 0])
