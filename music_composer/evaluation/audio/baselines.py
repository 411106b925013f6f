"""Baselines: continuations that need no network. Others must beat them in their order, or in novelty.

Half seconds of them sound as real as music can, because they are real. So figures of half seconds mean little without
these baselines beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError

Array = NDArray[np.floating[Any]]
SHUFFLED, SPLICED = "the prompt, shuffled", "random splices"


@dataclass(frozen=True)
class BaselineOptions:
    """Lengths of the pieces, which are random within bounds, and of the crossfade."""

    least_seconds: float = 1.2
    most_seconds: float = 2.4
    crossfade: int = 1024  # samples
    shortest_seconds: float = 0.25  # shorter music is not used

    def __post_init__(self) -> None:
        if not 0.0 < self.shortest_seconds <= self.least_seconds <= self.most_seconds or self.crossfade < 1:
            raise OptionError(f"{self}: needs 0 < shortest <= least <= most seconds, and a crossfade of at least 1.")


def shuffled(prompt: Array, seconds: float, rate: int, rng: np.random.Generator, options: BaselineOptions) -> Array:
    """Returns pieces of the prompt, samples (n, channels), in random order: (seconds * rate, channels).

    Raises MusicComposerError for a prompt that is too short to be cut.
    """
    _require_piece(len(prompt), rate, options)

    def piece() -> Array:
        size = min(len(prompt), round(rng.uniform(options.least_seconds, options.most_seconds) * rate))
        start = int(rng.integers(0, max(1, len(prompt) - size)))
        return prompt[start : start + size]

    return _played(piece, seconds, rate, options)


def random_splices(
    lengths: Sequence[float],
    read: Callable[[int, float, float], Array],
    seconds: float,
    rate: int,
    rng: np.random.Generator,
    options: BaselineOptions,
) -> Array:
    """Returns random pieces of some music: (seconds * rate, channels).

    lengths: seconds of each recording. read: maps a recording's number, first and last second to samples (n, channels).
    Raises MusicComposerError when all recordings are too short.
    """
    # Every second of the music is equally likely, whatever recording it is in.
    weights = np.where(np.asarray(lengths) >= options.shortest_seconds, lengths, 0.0)
    if not weights.sum():
        _require_piece(round(max(lengths, default=0.0) * rate), rate, options)

    def piece() -> Array:
        which = int(rng.choice(len(lengths), p=weights / weights.sum()))
        size = min(lengths[which], rng.uniform(options.least_seconds, options.most_seconds))
        start = rng.uniform(0, lengths[which] - size)
        return read(which, start, start + size)

    return _played(piece, seconds, rate, options)


def joined(pieces: Sequence[Array], crossfade: int = BaselineOptions.crossfade) -> Array:
    """Joins pieces (n, channels) with crossfades of `crossfade` samples at equal power."""
    across = np.linspace(0, np.pi / 2, crossfade, dtype=np.float32)[:, None]
    total = [pieces[0]]
    for piece in pieces[1:]:
        last = total[-1]
        total[-1] = last[:-crossfade]
        total += [last[-crossfade:] * np.cos(across) + piece[:crossfade] * np.sin(across), piece[crossfade:]]
    return np.concatenate(total)


def _played(piece: Callable[[], Array], seconds: float, rate: int, options: BaselineOptions) -> Array:
    pieces: list[Array] = []
    length, wanted = options.crossfade, round(seconds * rate)
    while length < wanted + options.crossfade or not pieces:
        pieces.append(piece())
        length += len(pieces[-1]) - options.crossfade
    return joined(pieces, options.crossfade)[:wanted]


def _require_piece(samples: int, rate: int, options: BaselineOptions) -> None:
    if samples < max(options.shortest_seconds * rate, 2 * options.crossfade + 1):
        raise MusicComposerError(
            f"{samples / rate:.2f} s of music are too short to be cut into pieces: give at least "
            f"{options.shortest_seconds:g} s."
        )
