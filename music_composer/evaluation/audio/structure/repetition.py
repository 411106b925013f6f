"""Repetition: the share of a piece whose one-second patches also occur in other music.

A patch is a second of log-mel levels less their mean, so that neither level nor fine structure matters. Two patches are
the same when they correlate above 0.97. Every patch is compared with every place of the other music, as in the
self-similarity of Foote 1999 ("Visualizing music and audio using self-similarity"). `copying` finds long copies in any
key through any filter; this counts seconds that sound the same. Copies at another speed are found only where the other
music is given at that speed too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import OptionError

Array = NDArray[np.floating[Any]]
ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class RepetitionOptions:
    """What counts as a repetition."""

    seconds: float = 1.0  # of a patch
    correlation: float = 0.97
    pooled: int = 4  # frames averaged to a row of a patch: 46 ms at 86 frames a second
    phases: int = 2  # places of the other music tried for each row: a copy is 12 ms off at most
    range_db: float = 50.0  # levels further below the loudest are raised to this
    silence_db: float = 3.0  # a patch that varies less is silence or steady noise, and like nothing

    def __post_init__(self) -> None:
        if self.pooled < 1 or not 1 <= self.phases <= self.pooled or min(self.seconds, self.range_db) <= 0.0:
            raise OptionError(f"{self}: counts must be at least 1, phases at most pooled, the rest above 0.")
        if not 0.0 < self.correlation < 1.0:
            raise OptionError(f"{self}: correlation must lie between 0 and 1.")


@dataclass(frozen=True)
class Repetition:
    """The parts of a piece that also occur in other music."""

    share: float  # of its patches, one beginning with every row; NaN for less music than a patch
    covered: float  # share of its time that lies in any such patch: in aligned runs of a patch's length or more
    longest: float  # seconds of the longest run that is aligned throughout; 0 without one


def repetition(
    levels: Array, library: Sequence[Array], frames_per_second: float, options: RepetitionOptions
) -> Repetition:
    """Finds patches of a piece in other music.

    levels: (frames, bands), dB (`frechet_distance.log_mel`), of the piece. library: the same of each other piece. Time
    grows with the product of both lengths: half a minute against an hour takes a second.
    """
    rate = frames_per_second / options.pooled
    length = max(2, round(options.seconds * rate))
    rows = _pooled(levels, 0, options)
    count = len(rows) - length + 1
    if count < 1:
        return Repetition(float("nan"), float("nan"), 0.0)
    repeated, longest = np.zeros(count, bool), 0
    for other in library:
        for phase in range(options.phases):
            theirs = _pooled(other, phase * options.pooled // options.phases, options)
            if len(theirs) >= length:
                found, run = _found_in(rows, theirs, length, options)
                repeated |= found
                longest = max(longest, run)
    covered = np.convolve(repeated, np.ones(length)) > 0.5
    return Repetition(float(repeated.mean()), float(covered.mean()), (longest + length - 1) / rate if longest else 0.0)


def _pooled(levels: Array, first: int, options: RepetitionOptions) -> NDArray[np.float32]:
    """Returns the mean levels of each `pooled` frames from `first` on: (rows, bands)."""
    levels = np.asarray(levels, np.float32)
    floored = np.maximum(levels, levels.max(initial=-np.inf) - options.range_db)[first:]
    rows = len(floored) // options.pooled
    return floored[: rows * options.pooled].reshape(rows, options.pooled, -1).mean(axis=1).astype(np.float32)


def _found_in(
    rows: NDArray[np.float32], theirs: NDArray[np.float32], length: int, options: RepetitionOptions
) -> tuple[NDArray[np.bool_], int]:
    """Returns which patches of `rows` occur in `theirs`, and the most successive ones on one diagonal."""
    centre = np.float32(theirs.mean())  # smaller numbers lose fewer digits
    ours, theirs = rows - centre, theirs - centre
    size = length * ours.shape[1]
    (our_mean, our_norm), (their_mean, their_norm) = (_moments(part, length, size, options) for part in (ours, theirs))
    found, runs, longest = np.zeros(len(our_mean), bool), np.zeros(len(their_mean) + 1, np.int64), 0
    for at in range(0, len(our_mean), ROWS_AT_ONCE):
        many = min(ROWS_AT_ONCE, len(our_mean) - at)
        products = ours[at : at + many + length - 1] @ theirs.T
        dots = sum(products[i : i + many, i : i + len(their_mean)] for i in range(length))
        chunk = slice(at, at + many)
        likeness = (dots - size * our_mean[chunk, None] * their_mean) / (our_norm[chunk, None] * their_norm)
        alike = likeness > options.correlation
        found[chunk] = alike.any(axis=1)
        for row in alike:  # a run continues where both advance by one
            runs[1:] = np.where(row, runs[:-1] + 1, 0)
            longest = max(longest, int(runs.max()))
    return found, longest


def _moments(
    rows: NDArray[np.float32], length: int, size: int, options: RepetitionOptions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the mean of every patch, and the norm of the rest; infinite for patches without content."""
    window = np.ones(length)
    mean = np.convolve(rows.sum(axis=1, dtype=np.float64), window, "valid") / size
    squares = np.convolve(np.square(rows).sum(axis=1, dtype=np.float64), window, "valid")
    norm = np.sqrt(np.maximum(squares - size * mean**2, 0.0))
    return mean, np.where(norm > options.silence_db * np.sqrt(size), norm, np.inf)
