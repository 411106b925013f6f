"""The interface of whatever continues a prompt: a network that generates frames, or a memory. No Keras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from music_composer.audio.gap import Filling, Gap
from music_composer.audio.play_options import InfillOptions, StreamOptions
from music_composer.audio.prompts import Prompt
from music_composer.values import Played


class Player(Protocol):
    """Continues prompts. Its music starts `crossfade` samples before the cut, fades in, and has no end by itself.

    A sample depends only on the prompt, the seed and its own number, never on the other samples of a batch.
    """

    @property
    def crossfade(self) -> int: ...

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[Played]]:
        """Yields one piece of each prompt at a time, all of equal length; `samples` samples in all."""

    def streamed(self, prompt: Prompt, seed: int, samples: int | None, streaming: StreamOptions) -> Iterator[Played]:
        """Yields sample 0 in pieces that are short at first and grow. samples: None for no end."""

    def filled(self, gap: Gap, channels: int, infill: InfillOptions, seed: int) -> Filling:
        """Returns the best of several fillings of a gap. channels: of the training music."""


def generator(seed: int, number: int, purpose: int) -> np.random.Generator:
    """Returns a generator of sample `number`. purpose: 0 for the music, 1 for its phase."""
    return np.random.default_rng([seed, number, purpose])
