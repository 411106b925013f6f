"""A memory as a player: the same interface as a network."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from music_composer.audio.gap import Filling, Gap, Join
from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.filling import candidate_of, distance_of, gap_memory_of, sound_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.playing import play
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import InfillOptions, StreamOptions
from music_composer.audio.players import generator
from music_composer.audio.prompts import Prompt
from music_composer.data.prefetch import prefetched
from music_composer.values import Played, Waveform


@dataclasses.dataclass(frozen=True)
class MemoryPlayer:
    """Plays from recordings. chunk_seconds: length of the pieces when several prompts are continued side by side."""

    recordings: Sequence[Recording]
    frame: FrameOptions
    options: MemoryOptions
    chunk_seconds: float

    @property
    def crossfade(self) -> int:
        return self.options.splice.crossfade

    def side_by_side(
        self, prompts: Sequence[Prompt], numbers: Sequence[int], seed: int, samples: int
    ) -> Iterator[list[Played]]:
        """See `audio.players.Player`. Memory does not grow with the length."""
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
        """See `audio.players.Player`."""
        rate, left = self.frame.rate, float("inf") if samples is None else samples
        first, longest = round(streaming.first_seconds * rate), round(streaming.longest_seconds * rate)
        coming = prefetched(in_pieces(self._played(prompt, seed, 0), first, longest, streaming.growth))

        def played() -> Iterator[Played]:
            nonlocal left
            for piece in coming:
                yield shortened(piece, int(min(left, len(piece))))
                left -= len(piece)
                if left <= 0:
                    return

        return played()

    def filled(self, gap: Gap, channels: int, infill: InfillOptions, seed: int) -> Filling:
        """See `audio.players.Player`. Only the best candidate is rendered to sound."""
        target = gap_memory_of(self.recordings, gap.left, gap.right, gap.stop - gap.start, self.frame, self.options)
        candidates = [candidate_of(target, self.options, generator(seed, i, 0)) for i in range(infill.candidates)]
        distances = tuple(round(distance_of(target, candidate, infill.match_seconds), 2) for candidate in candidates)
        best = max(range(len(candidates)), key=lambda i: candidates[i].fit)
        played, frame = (
            sound_of(target, candidates[best], self.options),
            target.landing.steps * self.options.steps.frames,
        )
        return Filling(played.samples, gap.start - self.crossfade, Join(best, frame, distances), 1.0, played.jumps)

    def _played(self, prompt: Prompt, seed: int, number: int) -> Iterator[Played]:
        rng, sound = generator(seed, number, 0), Waveform(prompt.samples, self.frame.rate)
        second, share = prompt.blended[1] if prompt.blended else (prompt, 0.0)
        beside = Waveform(second.samples, self.frame.rate) if 0.0 < share < 1.0 else None
        return play(self.recordings, sound, self.frame, self.options, rng, beside, share)


def in_pieces(blocks: Iterator[Played], first: int, longest: int, growth: float = 1.0) -> Iterator[Played]:
    """Regroups samples and jumps into pieces that grow from `first` samples to `longest`; the last piece is shorter."""
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
    """Returns the first `count` samples of a piece."""
    return Played(piece.samples[:count], tuple(at for at in piece.jumps if at < count))
