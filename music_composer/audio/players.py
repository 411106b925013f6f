"""What is asked of whatever goes on from a prompt: a network that draws frames, or a memory. No Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np

from music_composer.audio.gap import Filling, Gap
from music_composer.audio.prompts import Prompt
from music_composer.options import InfillOptions, StreamOptions
from music_composer.values import Played

T = TypeVar("T")


class Player(Protocol):
    """Its music begins `fade` samples before the cut, faded out of the prompt, and is endless unless told otherwise.

    It depends on the prompt, the seed and the number of a sample alone, and not on the other samples.
    """

    @property
    def fade(self) -> int: ...

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[Played]]:
        """Pieces, one of each prompt at a time and as long as the others; `samples` in all."""

    def streamed(self, prompt: Prompt, seed: int, samples: int | None, streaming: StreamOptions) -> Iterator[Played]:
        """Sample 0 in pieces that are short at first and grow. samples: None for no end."""

    def filled(self, gap: Gap, channels: int, infill: InfillOptions, seed: int) -> Filling:
        """The best of several fillings of a gap. channels: of the music that was learnt from."""


def generator(seed: int, number: int, purpose: int) -> np.random.Generator:
    """The generators of a sample: purpose 0 plays, 1 finds the phase."""
    return np.random.default_rng([seed, number, purpose])


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made in a thread of its own while the one before is being used; the first from now on."""
    pool = ThreadPoolExecutor(1)
    first = pool.submit(next, items)

    def made() -> Iterator[T]:
        with pool:
            coming = first
            while True:
                item = coming.result()
                coming = pool.submit(next, items)
                yield item

    return made()
