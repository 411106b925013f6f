"""A memory as a player: what is asked of a network that goes on from prompts, asked of what is remembered."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from music_composer.audio.gap import Filling, Gap, Join
from music_composer.audio.memory.analysis.heard import Recording
from music_composer.audio.memory.filling import between, course_of, distance_of, sound_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.playing import play
from music_composer.audio.players import ahead, generator
from music_composer.audio.prompts import Prompt
from music_composer.options import FrameOptions, InfillOptions, StreamOptions
from music_composer.values import Played, Waveform


@dataclasses.dataclass(frozen=True)
class MemoryPlayer:
    """chunk_seconds: of the pieces that several prompts are continued by side by side."""

    recordings: Sequence[Recording]
    frame: FrameOptions
    options: MemoryOptions
    chunk_seconds: float

    @property
    def fade(self) -> int:
        return self.options.splice.fade

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[Played]]:
        """As `audio.players.Player` says. Memory does not grow with the length."""
        size = round(self.chunk_seconds * self.frame.rate)
        streams = [
            in_pieces(self._played(prompt, seed, number), size, size)
            for prompt, number in zip(prompts, numbers, strict=True)
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for first in range(0, samples, size):
                pieces = list(pool.map(next, streams))
                yield [shortened(piece, samples - first) for piece in pieces]

    def streamed(self, prompt: Prompt, seed: int, samples: int | None, streaming: StreamOptions) -> Iterator[Played]:
        """As `audio.players.Player` says: the same samples as sample 0."""
        rate, left = self.frame.rate, float("inf") if samples is None else samples
        first, longest = round(streaming.first_seconds * rate), round(streaming.longest_seconds * rate)
        coming = ahead(in_pieces(self._played(prompt, seed, 0), first, longest, streaming.growth))

        def played() -> Iterator[Played]:
            nonlocal left
            for piece in coming:
                yield shortened(piece, int(min(left, len(piece))))
                left -= len(piece)
                if left <= 0:
                    return

        return played()

    def filled(self, gap: Gap, channels: int, infill: InfillOptions, seed: int) -> Filling:
        """As `audio.players.Player` says. The sound of the best candidate alone is made."""
        place = between(self.recordings, gap.left, gap.right, gap.stop - gap.start, self.frame, self.options)
        courses = [course_of(place, self.options, generator(seed, i, 0)) for i in range(infill.candidates)]
        distances = tuple(round(distance_of(place, course, infill.match_seconds), 2) for course in courses)
        best = max(range(len(courses)), key=lambda i: courses[i].fit)
        played, frame = sound_of(place, courses[best], self.options), place.landing.steps * self.options.steps.frames
        return Filling(played.samples, gap.start - self.fade, Join(best, frame, distances), 1.0, played.jumps)

    def _played(self, prompt: Prompt, seed: int, number: int) -> Iterator[Played]:
        rng, sound = generator(seed, number, 0), Waveform(prompt.samples, self.frame.rate)
        second, share = prompt.voices[1] if prompt.voices else (prompt, 0.0)
        beside = Waveform(second.samples, self.frame.rate) if 0.0 < share < 1.0 else None
        return play(self.recordings, sound, self.frame, self.options, rng, beside, share)


def in_pieces(blocks: Iterator[Played], first: int, longest: int, growth: float = 1.0) -> Iterator[Played]:
    """The same samples and jumps in pieces that grow from `first` samples to `longest`; the last is short."""
    wanted, kept, held, jumps = float(first), list[np.ndarray](), 0, list[int]()
    for block in blocks:
        jumps += [held + at for at in block.jumps]
        kept.append(block.samples)
        held += len(block)
        while held >= int(wanted):
            whole, count = Played(np.concatenate(kept), tuple(jumps)), int(wanted)
            yield shortened(whole, count)
            kept, held, jumps = [whole.samples[count:]], held - count, [at - count for at in jumps if at >= count]
            wanted = min(wanted * growth, float(longest))
    if held:
        yield Played(np.concatenate(kept), tuple(jumps))


def shortened(piece: Played, count: int) -> Played:
    """Its first samples, so many at most."""
    return Played(piece.samples[:count], tuple(at for at in piece.jumps if at < count))
