"""Continuations that need no network: what every other one has to beat in its order, or in being new.

Half seconds of them sound as real as music can, since they are real; so no figure of half seconds stands without them.
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
class ToyOptions:
    """Pieces are of any length between two; they are faded into each other."""

    least_seconds: float = 1.2
    most_seconds: float = 2.4
    fade: int = 1024  # samples
    shortest_seconds: float = 0.25  # music that is shorter is not played

    def __post_init__(self) -> None:
        if not 0.0 < self.shortest_seconds <= self.least_seconds <= self.most_seconds or self.fade < 1:
            raise OptionError(f"{self}: needs 0 < shortest <= least <= most seconds, and a fade of at least 1.")


def shuffled(prompt: Array, seconds: float, rate: int, rng: np.random.Generator, options: ToyOptions) -> Array:
    """Pieces of the prompt, samples (n, channels), in any order, as often as it takes: (seconds * rate, channels).

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
    options: ToyOptions,
) -> Array:
    """Pieces from anywhere in some music: (seconds * rate, channels).

    lengths: seconds of each recording. read: number of a recording, first second and last -> samples (n, channels).
    Raises MusicComposerError when all recordings are too short.
    """
    weights = np.where(np.asarray(lengths) >= options.shortest_seconds, lengths, 0.0)
    if not weights.sum():
        _require_piece(round(max(lengths, default=0.0) * rate), rate, options)

    def piece() -> Array:
        which = int(rng.choice(len(lengths), p=weights / weights.sum()))
        size = min(lengths[which], rng.uniform(options.least_seconds, options.most_seconds))
        start = rng.uniform(0, lengths[which] - size)
        return read(which, start, start + size)

    return _played(piece, seconds, rate, options)


def joined(pieces: Sequence[Array], fade: int = ToyOptions.fade) -> Array:
    """Pieces (n, channels) end to end, faded into each other over so many samples at equal power."""
    across = np.linspace(0, np.pi / 2, fade, dtype=np.float32)[:, None]
    total = [pieces[0]]
    for piece in pieces[1:]:
        last = total[-1]
        total[-1] = last[:-fade]
        total += [last[-fade:] * np.cos(across) + piece[:fade] * np.sin(across), piece[fade:]]
    return np.concatenate(total)


def _played(piece: Callable[[], Array], seconds: float, rate: int, options: ToyOptions) -> Array:
    pieces: list[Array] = []
    length, wanted = options.fade, round(seconds * rate)
    while length < wanted + options.fade or not pieces:
        pieces.append(piece())
        length += len(pieces[-1]) - options.fade
    return joined(pieces, options.fade)[:wanted]


def _require_piece(samples: int, rate: int, options: ToyOptions) -> None:
    if samples < max(options.shortest_seconds * rate, 2 * options.fade + 1):
        raise MusicComposerError(
            f"{samples / rate:.2f} s of music are too short to be cut into pieces: give at least "
            f"{options.shortest_seconds:g} s."
        )
