"""A trained network as a player: it generates frames, and their phase is found chunk by chunk."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from music_composer.audio.continuation.generate import continue_prompts
from music_composer.audio.continuation.infill import fill_gap
from music_composer.audio.gap import Filling, Gap
from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import PhaseStream
from music_composer.audio.play_options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.audio.players import generator
from music_composer.audio.prompts import Prompt, phase_context
from music_composer.audio.spectrogram import to_left_right
from music_composer.data.prefetch import prefetched
from music_composer.values import Played


@dataclasses.dataclass(frozen=True)
class NetworkPlayer:
    """Plays a Keras model of `audio.models`."""

    model: Any
    frame: FrameOptions
    options: GenerateOptions

    @property
    def crossfade(self) -> int:
        return round(self.options.crossfade_seconds * self.frame.rate)

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[Played]]:
        """See `Player`. Memory does not grow with the length."""
        step = self.model.options.frames_per_step * self.frame.hop
        total = samples - self.crossfade
        steps = -(-total // step) + self.model.options.reach  # a step is decoded from the steps after it
        # Chunks of one length, since another length would need another graph.
        chunks = -(-steps * step // round(self.options.chunk_seconds * self.frame.rate))
        play = [generator(seed, number, 0) for number in numbers]
        streams = [
            self._phase(prompt, generator(seed, number, 1)) for number, prompt in zip(numbers, prompts, strict=True)
        ]
        left = samples
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for bands in continue_prompts(self.model, prompts, play, self.options, -(-steps // chunks)):
                pieces = [to_left_right(new) for new in pool.map(PhaseStream.push, streams, bands)]
                if left <= len(pieces[0]) + self.crossfade:
                    rests = [to_left_right(stream.rest()) for stream in streams]
                    pieces = [np.concatenate(both)[:left] for both in zip(pieces, rests, strict=True)]
                left -= len(pieces[0])
                yield [Played(piece) for piece in pieces]
                if left <= 0:
                    return

    def streamed(self, prompt: Prompt, seed: int, samples: int | None, streaming: StreamOptions) -> Iterator[Played]:
        """See `Player`. Phase is found while the model generates the next frames."""
        left = float("inf") if samples is None else samples
        phase = self._phase(prompt, generator(seed, 0, 1))
        step = self.model.options.frames_per_step * self.frame.hop / self.frame.rate
        chunk = max(1, round(streaming.first_seconds / step)) + self.model.options.reach  # the first is shorter
        # The first new music is made while the end of the prompt plays.
        coming = prefetched(continue_prompts(self.model, [prompt], [generator(seed, 0, 0)], self.options, chunk))

        def played() -> Iterator[Played]:
            nonlocal left
            for bands in _in_growing_pieces(coming, self.frame, streaming):
                piece = to_left_right(phase.push(bands))
                if left <= len(piece) + self.crossfade:
                    piece = np.concatenate([piece, to_left_right(phase.rest())])[: int(left)]
                left -= len(piece)
                yield Played(piece)
                if left <= 0:
                    return

        return played()

    def filled(self, gap: Gap, channels: int, infill: InfillOptions, seed: int) -> Filling:
        """See `Player`. Candidate number i equals sample number i with the music left of the gap as its prompt."""
        frames_per_step = self.model.options.frames_per_step
        return fill_gap(self._frames, frames_per_step, gap, channels, self.frame, self.options, infill, seed)

    def _frames(self, prompt: Prompt, count: int, seed: int, frames: int) -> np.ndarray:
        rngs = [generator(seed, number, 0) for number in range(count)]
        steps = -(-frames // self.model.options.frames_per_step) + self.model.options.reach
        return next(continue_prompts(self.model, [prompt] * count, rngs, self.options, steps))

    def _phase(self, prompt: Prompt, rng: np.random.Generator) -> PhaseStream:
        options = self.options
        return PhaseStream(
            *phase_context(prompt, self.frame), self.frame, options.crossfade_seconds, options.phase_iterations, rng
        )


def _in_growing_pieces(
    chunks: Iterator[np.ndarray], frame: FrameOptions, streaming: StreamOptions
) -> Iterator[np.ndarray]:
    """Joins short chunks (1, frames, channels, bands) to pieces (frames, channels, bands) that grow.

    Chunks are short because the compiled loop has one length. Pieces grow because the search for the phase repeats some
    frames in every piece.
    """
    wanted = float(streaming.first_seconds)
    gathered: list[np.ndarray] = []
    for chunk in chunks:
        gathered.append(chunk[0])
        frames = sum(map(len, gathered))
        if frames >= frame.frames_in(wanted * 0.9):
            yield np.concatenate(gathered)
            gathered = []
            wanted = min(wanted * streaming.growth, streaming.longest_seconds)
