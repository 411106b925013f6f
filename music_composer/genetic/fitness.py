"""The fitness of networks: `correlation`, as in bach_generator, or `style`.

Both are one number for each network, and 0 for a network that plays the same note throughout.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.genetic.networks import Networks, forward, forward_in_order
from music_composer.genetic.quantiser import Quantised, by_frequency, quantised
from music_composer.genetic.style import Style, style_rating


@dataclasses.dataclass(frozen=True)
class Task:
    """The input of networks, and what their output is compared with.

    codes: int (symbols,), of all themes, one after another. inputs: float (symbols, inputs). ranked: the codes by
    falling frequency. style: None for fitness by correlation.
    """

    codes: np.ndarray
    inputs: np.ndarray
    ranked: np.ndarray
    style: Style | None = None


def task_of(codes: np.ndarray, inputs: np.ndarray, style: Style | None = None) -> Task:
    """The task of re-pitching themes. codes: of all themes; inputs: from `windows`."""
    return Task(codes, inputs, by_frequency(codes), style)


def generated_codes(networks: Networks, task: Task) -> np.ndarray:
    """The codes that each network plays, int (networks, symbols)."""
    return _quantised(networks, task).decoded


def ratings(networks: Networks, task: Task) -> np.ndarray:
    """The fitness of each network, float (networks,)."""
    found = _quantised(networks, task)
    return correlation(found, task.codes) if task.style is None else style_rating(found.decoded, task.style)


def correlation(found: Quantised, codes: np.ndarray) -> np.ndarray:
    """Pearson's correlation of the themes' codes and the played ones, float (networks,)."""
    networks, symbols = found.levels.shape
    centred = codes - codes.mean()
    # Summed by level instead of by symbol: there are few levels.
    sums = np.bincount(found.places.reshape(-1), np.tile(centred, networks), minlength=found.counts.size)
    mean = (found.counts * found.codes).sum(axis=1) / symbols
    spread = (found.counts * (found.codes - mean[:, None]) ** 2).sum(axis=1) * (centred**2).sum()
    product = (sums.reshape(networks, -1) * found.codes).sum(axis=1)
    rated: np.ndarray = np.where(spread > 0, product / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    return rated


def _quantised(networks: Networks, task: Task) -> Quantised:
    """The quantised outputs. Outputs near a rounding edge are computed again, exactly as bach_generator does."""
    found = forward(networks, task.inputs)
    result = quantised(found, task.ranked)
    # With an activation no reference implementation exists to agree with.
    if networks.activation == "none" and result.unsure.any():
        found[result.unsure] = forward_in_order(networks.take(np.flatnonzero(result.unsure)), task.inputs)
        return quantised(found, task.ranked)
    return result
