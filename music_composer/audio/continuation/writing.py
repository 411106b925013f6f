"""Prompts to finished files, piece by piece as a player continues them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from music_composer.audio.continuation.sinks import Sink
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt, with_channels
from music_composer.audio.reading.recording import read_blocks
from music_composer.audio.wav import write_wav
from music_composer.values import Played

Opened = Callable[[Path, int, int, str, int], AbstractContextManager[Sink]]  # path, rate, channels, subtype, samples
MAX_JUMPS = 10_000  # jumps recorded for one file: an hour of them


@dataclasses.dataclass(frozen=True)
class Written:
    """A finished file. cut: the second at which the new music begins. jumps: the seconds at which the player jumped."""

    path: Path
    prompt: Prompt
    cut: float
    clipped: int  # samples that were beyond full scale
    jumps: tuple[float, ...] = ()


def write_continuations(
    player: Player,
    frame: FrameOptions,
    prompts: Sequence[Prompt],
    paths: Sequence[Path],
    numbers: Sequence[int],
    options: GenerateOptions,
    seed: int,
    advance: Callable[[float], None] = lambda seconds: None,
    opened: Opened = write_wav,
) -> list[Written]:
    """Continues each prompt into its path, side by side, in memory that does not grow with the length.

    numbers: of the samples; together with `seed` they decide the music. advance: gets seconds of music written. opened:
    opens the destination of a path, a WAV by default.
    """
    channels = prompts[0].bands.shape[1]
    total = round(options.seconds * frame.rate)
    # A file gets its name when the stack closes without an error: all of a batch do, or none.
    with contextlib.ExitStack() as files:
        writers = [
            files.enter_context(opened(path, frame.rate, channels, options.subtype, total + len(prompt.samples)))
            for path, prompt in zip(paths, prompts, strict=True)
        ]
        for writer, prompt in zip(writers, prompts, strict=True):
            for block in lead_of(prompt, options, frame, player.crossfade):
                writer.write(block)
        cuts = [(writer.samples + player.crossfade) / frame.rate for writer in writers]
        jumps: list[list[int]] = [[] for _ in writers]
        done = -player.crossfade
        for pieces in player.side_by_side(prompts, numbers, seed, total + player.crossfade):
            for writer, piece, found in zip(writers, pieces, jumps, strict=True):
                note_jumps(found, piece, writer.samples)
                writer.write(piece.samples)
            done += len(pieces[0])
            advance(done / frame.rate)
        return [
            Written(path, prompt, cut, writer.clipped, tuple(at / frame.rate for at in found))
            for path, prompt, cut, writer, found in zip(paths, prompts, cuts, writers, jumps, strict=True)
        ]


def note_jumps(jumps: list[int], piece: Played, first: int) -> None:
    """Appends the jumps of a piece that begins at sample `first` of a file, up to MAX_JUMPS, in place."""
    jumps += [first + at for at in piece.jumps][: MAX_JUMPS - len(jumps)]


def lead_of(prompt: Prompt, options: GenerateOptions, frame: FrameOptions, crossfade: int) -> Iterator[np.ndarray]:
    """Yields the real sound before the cut in blocks, up to where the crossfade (samples) into the new music begins."""
    if options.include_prompt and prompt.whole:
        yield from _until(prompt, prompt.samples.shape[1], frame, crossfade)
        return
    kept = len(prompt.samples) if options.include_prompt else round(options.lead_seconds * frame.rate)
    yield prompt.samples[-kept : len(prompt.samples) - crossfade]


def _until(prompt: Prompt, channels: int, frame: FrameOptions, crossfade: int) -> Iterator[np.ndarray]:
    """Yields the recording of the prompt in blocks, from its first sample to where the crossfade begins."""
    left = round(prompt.cut * frame.rate) - crossfade
    for block in read_blocks(prompt.source, frame.rate)[1]:
        yield with_channels(block[:left], channels)
        left -= len(block)
        if left <= 0:
            return
