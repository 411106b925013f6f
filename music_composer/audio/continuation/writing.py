"""Prompts to finished files, piece by piece as a player goes on from them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from music_composer.audio.continuation.sinks import Sink
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt, with_channels
from music_composer.audio.reading.recording import read_blocks
from music_composer.audio.wav import write_wav
from music_composer.options import FrameOptions, GenerateOptions
from music_composer.values import Played

Opened = Callable[[Path, int, int, str, int], AbstractContextManager[Sink]]  # rate, channels, subtype, samples
MOST_JUMPS = 10_000  # of one file that are noted: an hour of them


@dataclasses.dataclass(frozen=True)
class Written:
    """One finished file. In seconds of it: cut, at which the new music begins; jumps, at which it goes on elsewhere."""

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

    numbers: of the samples; with `seed` they alone decide what is played. advance: gets seconds of music written.
    opened: opens what a path stands for, a WAV unless told otherwise.
    """
    channels = prompts[0].bands.shape[1]
    total = round(options.seconds * frame.rate)
    with contextlib.ExitStack() as files:
        writers = [
            files.enter_context(opened(path, frame.rate, channels, options.subtype, total + len(prompt.samples)))
            for path, prompt in zip(paths, prompts, strict=True)
        ]
        for writer, prompt in zip(writers, prompts, strict=True):
            for block in lead_of(prompt, options, frame, player.fade):
                writer.write(block)
        cuts = [(writer.samples + player.fade) / frame.rate for writer in writers]
        jumps: list[list[int]] = [[] for _ in writers]
        done = -player.fade
        for pieces in player.side_by_side(prompts, numbers, seed, total + player.fade):
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
    """Adds the jumps of a piece that begins at that sample of a file, in place, unless there are very many by now."""
    jumps += [first + at for at in piece.jumps][: MOST_JUMPS - len(jumps)]


def lead_of(prompt: Prompt, options: GenerateOptions, frame: FrameOptions, fade: int) -> Iterator[np.ndarray]:
    """The real sound before the cut, up to where the fade (samples) into the new music begins, in blocks."""
    if options.include_prompt and prompt.whole:
        yield from _until(prompt, prompt.samples.shape[1], frame, fade)
        return
    kept = len(prompt.samples) if options.include_prompt else round(options.lead_seconds * frame.rate)
    yield prompt.samples[-kept : len(prompt.samples) - fade]


def _until(prompt: Prompt, channels: int, frame: FrameOptions, fade: int) -> Iterator[np.ndarray]:
    """The prompt's recording from its first sample to where the fade begins, in blocks."""
    left = round(prompt.cut * frame.rate) - fade
    for block in read_blocks(prompt.source, frame.rate)[1]:
        yield with_channels(block[:left], channels)
        left -= len(block)
        if left <= 0:
            return
