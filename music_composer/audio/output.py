"""Prompts to finished files: frames are generated, given their phase, and written chunk by chunk."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.frames import to_left_right
from music_composer.audio.generate import continue_prompts
from music_composer.audio.phase import PhaseStream
from music_composer.audio.prompts import Prompt, known_sound, with_channels
from music_composer.audio.recording import read_blocks
from music_composer.audio.wav import write_wav
from music_composer.options import FrameOptions, GenerateOptions


@dataclasses.dataclass(frozen=True)
class Written:
    """One finished file. cut: seconds into it at which the new music begins."""

    path: Path
    prompt: Prompt
    cut: float
    clipped: int  # samples that were beyond full scale


def write_continuations(
    model: Any,
    frame: FrameOptions,
    prompts: Sequence[Prompt],
    paths: Sequence[Path],
    numbers: Sequence[int],
    options: GenerateOptions,
    seed: int,
    advance: Callable[[float], None] = lambda seconds: None,
) -> list[Written]:
    """Continues each prompt into its path, side by side, in memory that does not grow with the length.

    numbers: of the samples; with `seed` they alone decide what is played. advance: gets seconds of music written.
    """
    channels = prompts[0].bands.shape[1]
    step = model.options.stack * frame.hop
    total = round(options.seconds * frame.rate)
    steps = -(-total // step)
    chunk = -(-steps // -(-steps * step // round(options.chunk_seconds * frame.rate)))  # chunks of equal length
    play = [np.random.default_rng([seed, number, 0]) for number in numbers]
    turn = [np.random.default_rng([seed, number, 1]) for number in numbers]
    streams = [
        PhaseStream(*known_sound(prompt, frame), frame, options.fade_seconds, options.phase_iterations, rng)
        for prompt, rng in zip(prompts, turn, strict=True)
    ]
    fade = round(options.fade_seconds * frame.rate)
    with contextlib.ExitStack() as files, ThreadPoolExecutor(os.cpu_count()) as pool:
        writers = [
            files.enter_context(write_wav(path, frame.rate, channels, options.subtype, total + len(prompt.samples)))
            for path, prompt in zip(paths, prompts, strict=True)
        ]
        for writer, prompt in zip(writers, prompts, strict=True):
            for block in lead_of(prompt, options, frame, fade):
                writer.write(block)
        cuts = [(writer.samples + fade) / frame.rate for writer in writers]
        left = total + fade
        for bands in continue_prompts(model, prompts, play, options, chunk):
            pieces = [to_left_right(new) for new in pool.map(PhaseStream.push, streams, bands)]
            if left > len(pieces[0]) + fade:
                left -= len(pieces[0])
            else:
                rests = [to_left_right(stream.rest()) for stream in streams]
                pieces = [np.concatenate(both)[:left] for both in zip(pieces, rests, strict=True)]
                left -= len(pieces[0])
            for writer, piece in zip(writers, pieces, strict=True):
                writer.write(piece)
            advance((total - max(left, 0)) / frame.rate)
            if left <= 0:
                break
        return [
            Written(path, prompt, cut, writer.clipped)
            for path, prompt, cut, writer in zip(paths, prompts, cuts, writers, strict=True)
        ]


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
