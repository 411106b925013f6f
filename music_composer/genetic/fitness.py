"""How good what networks play is: `correlation`, as in bach_generator, or `style`.

Both are one number for each network, and 0 for one that plays the same note throughout.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.genetic.networks import Networks, answers, answers_in_order
from music_composer.genetic.quantiser import Quantised, by_frequency, quantised
from music_composer.genetic.style import Style, likeness


@dataclasses.dataclass(frozen=True)
class Task:
    """What networks hear and are judged by.

    codes: int (symbols,), of all themes, one after the other. heard: float (symbols, inputs). ranked: the codes by
    frequency. style: None where networks are judged by correlation.
    """

    codes: np.ndarray
    heard: np.ndarray
    ranked: np.ndarray
    style: Style | None = None


def task_of(codes: np.ndarray, heard: np.ndarray, style: Style | None = None) -> Task:
    return Task(codes, heard, by_frequency(codes), style)


def played(networks: Networks, task: Task) -> np.ndarray:
    """The codes that each network plays, int (networks, symbols)."""
    return _quantised(networks, task).decoded


def ratings(networks: Networks, task: Task) -> np.ndarray:
    """float (networks,)"""
    found = _quantised(networks, task)
    return correlation(found, task.codes) if task.style is None else likeness(found.decoded, task.style)


def correlation(found: Quantised, codes: np.ndarray) -> np.ndarray:
    """Pearson's, of the codes that were heard and those that were played, float (networks,)."""
    networks, symbols = found.levels.shape
    centred = codes - codes.mean()
    # By level and not by symbol: there are few levels.
    sums = np.bincount(found.places.reshape(-1), np.tile(centred, networks), minlength=found.counts.size)
    mean = (found.counts * found.codes).sum(axis=1) / symbols
    spread = (found.counts * (found.codes - mean[:, None]) ** 2).sum(axis=1) * (centred**2).sum()
    product = (sums.reshape(networks, -1) * found.codes).sum(axis=1)
    rated: np.ndarray = np.where(spread > 0, product / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)
    return rated


def _quantised(networks: Networks, task: Task) -> Quantised:
    found = answers(networks, task.heard)
    result = quantised(found, task.ranked)
    if networks.activation == "none" and result.unsure.any():
        found[result.unsure] = answers_in_order(networks.some(np.flatnonzero(result.unsure)), task.heard)
        return quantised(found, task.ranked)
    return result
