"""A memory as a player: what is asked of a network that goes on from prompts, asked of what is remembered."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from music_composer.audio.gap import bands_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.playing import play
from music_composer.audio.memory.store import Remembered
from music_composer.audio.players import ahead, generator
from music_composer.audio.prompts import Prompt
from music_composer.options import FrameOptions, StreamOptions
from music_composer.values import Waveform


@dataclasses.dataclass(frozen=True)
class MemoryPlayer:
    """chunk_seconds: of the pieces that several prompts are continued by side by side."""

    recordings: Sequence[Remembered]
    frame: FrameOptions
    options: MemoryOptions
    chunk_seconds: float

    @property
    def fade(self) -> int:
        return self.options.splice.fade

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[np.ndarray]]:
        """As `audio.players.Player` says. Memory does not grow with the length."""
        size = round(self.chunk_seconds * self.frame.rate)
        streams = [
            in_pieces(self._played(prompt, seed, number), size, size)
            for prompt, number in zip(prompts, numbers, strict=True)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for first in range(0, samples, size):
                pieces = list(pool.map(next, streams))
                yield [piece[: samples - first] for piece in pieces]

    def streamed(
        self, prompt: Prompt, seed: int, samples: int | None, streaming: StreamOptions
    ) -> Iterator[np.ndarray]:
        """As `audio.players.Player` says: the same samples as sample 0."""
        rate, left = self.frame.rate, float("inf") if samples is None else samples
        first, longest = round(streaming.first_seconds * rate), round(streaming.longest_seconds * rate)
        coming = ahead(in_pieces(self._played(prompt, seed, 0), first, longest, streaming.growth))

        def played() -> Iterator[np.ndarray]:
            nonlocal left
            for piece in coming:
                yield piece[: int(min(left, len(piece)))]
                left -= len(piece)
                if left <= 0:
                    return

        return played()

    def frames(self, prompt: Prompt, count: int, seed: int, frames: int) -> np.ndarray:
        """As `audio.players.Player` says."""
        samples = self.frame.window + (frames - 1) * self.frame.hop
        sounds = (next(in_pieces(self._played(prompt, seed, i), self.fade + samples, samples)) for i in range(count))
        return np.stack([bands_of(sound[self.fade :], self.frame) for sound in sounds])

    def _played(self, prompt: Prompt, seed: int, number: int) -> Iterator[np.ndarray]:
        sound = Waveform(prompt.samples, self.frame.rate)
        return play(self.recordings, sound, self.frame, self.options, generator(seed, number, 0))


def in_pieces(blocks: Iterator[np.ndarray], first: int, longest: int, growth: float = 1.0) -> Iterator[np.ndarray]:
    """The same samples (samples, channels) in pieces that grow from `first` samples to `longest`; the last is short."""
    wanted, kept, held = float(first), list[np.ndarray](), 0
    for block in blocks:
        kept.append(block)
        held += len(block)
        while held >= int(wanted):
            whole = np.concatenate(kept)
            yield whole[: int(wanted)]
            kept, held = [whole[int(wanted) :]], held - int(wanted)
            wanted = min(wanted * growth, float(longest))
    if held:
        yield np.concatenate(kept)
