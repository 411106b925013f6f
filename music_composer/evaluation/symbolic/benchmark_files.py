"""The four benchmark files of Boulanger-Lewandowski et al. (2012): piano rolls of 88 keys with a fixed division.

The figure is the joint negative log likelihood of a step in nats: the sum over all pieces divided by the number of all
steps, silent steps included, not a mean of means. Some authors leave out the first step of each piece; both are given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import scipy.io

from music_composer.errors import ScoreError
from music_composer.files.atomic import reason
from music_composer.symbolic.roll import PIANO_KEYS

PARTS = MappingProxyType({"training": "traindata", "validation": "validdata", "test": "testdata"})
UNIFORM = PIANO_KEYS * float(np.log(2))  # nats a step of a uniform model: 61.0

Piece = np.ndarray  # bool (steps, KEYS)


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """The pieces of a file, bool (steps, 88) each, in the parts that its authors chose."""

    training: tuple[Piece, ...]
    validation: tuple[Piece, ...]
    test: tuple[Piece, ...]


@dataclasses.dataclass(frozen=True)
class Nats:
    """Nats a step: over all steps, and without the first step of each piece. steps: how many there are."""

    every: float
    after_first: float
    steps: int


def read_benchmark(path: Path) -> Benchmark:
    """Reads a benchmark file. Raises ScoreError, naming the file, when it is not one of them."""
    try:
        content = scipy.io.loadmat(path, variable_names=list(PARTS.values()))
    except OSError as error:
        raise ScoreError(f"{path}: cannot be opened: {reason(error)}") from error
    except Exception as error:  # SciPy has no error of its own: damage raises errors of many kinds
        raise ScoreError(f"{path}: is no MATLAB file of piano rolls: {str(error)[:100]}") from error
    missing = [name for name in PARTS.values() if name not in content]
    if missing:
        raise ScoreError(f"{path}: has no {' and no '.join(missing)} in it: is it one of the four benchmark files?")
    return Benchmark(*(tuple(_piece(roll, path) for roll in np.ravel(content[name])) for name in PARTS.values()))


def transposed(piece: Piece, semitones: int) -> Piece:
    """The piece, transposed; unchanged where a note would leave the keys."""
    keys = np.flatnonzero(piece.any(axis=0))
    if len(keys) and not 0 <= keys[0] + semitones <= keys[-1] + semitones < piece.shape[1]:
        return piece
    return np.roll(piece, semitones, axis=1)


def nats_a_step(pieces: Sequence[Piece], likelihood: Callable[[Sequence[Piece]], Sequence[np.ndarray]]) -> Nats:
    """The figures of a model.

    likelihood: returns the natural log likelihood of each step of each piece, (steps,) each. Raises ValueError where
    the lengths differ.
    """
    found = likelihood(pieces)
    for piece, by_step in zip(pieces, found, strict=True):
        if len(piece) != len(by_step):
            raise ValueError(f"a piece of {len(piece)} steps has likelihoods of {len(by_step)}")
    steps = sum(map(len, pieces))
    # Summed in float64: sums over many steps lose digits in float32.
    every = -sum(float(np.sum(by_step, dtype=np.float64)) for by_step in found)
    first = -sum(float(by_step[0]) for by_step in found if len(by_step))
    return Nats(every / max(1, steps), (every - first) / max(1, steps - len(found)), steps)


def mixture(members: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Log likelihoods of whole steps under an even mixture of models.

    members: for each model, for each piece, (steps,).
    """
    return [np.logaddexp.reduce(by_step, axis=0) - np.log(len(by_step)) for by_step in zip(*members, strict=True)]


def _piece(roll: np.ndarray, path: Path) -> Piece:
    if getattr(roll, "ndim", 0) != 2 or roll.shape[1] != PIANO_KEYS or roll.dtype.kind not in "buif":
        raise ScoreError(f"{path}: holds something other than piano rolls of {PIANO_KEYS} keys")
    return np.asarray(roll) > 0
