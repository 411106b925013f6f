"""Continuations by baselines, as recordings that are judged like all others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.prompts import with_channels
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.wav import write_flac
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.baselines import BaselineOptions, random_splices, shuffled
from music_composer.values import Waveform


def write_shuffled(prompts: Sequence[Span], folder: Path, rate: int, seconds: float, seed: int) -> list[Span]:
    """Writes one continuation of each prompt, made of pieces of the prompt, as FLAC into `folder`."""
    spans = []
    for i, prompt in enumerate(prompts):
        path, rng = folder / f"shuffled-{i:02d}.flac", np.random.default_rng([seed, i])
        sound = read_excerpt(prompt.path, rate, prompt.start, _seconds(prompt)).samples
        write_flac(path, Waveform(shuffled(sound, seconds, rate, rng, BaselineOptions()), rate))
        spans.append(Span(path))
    return spans


def write_spliced(
    music: Sequence[Span],
    count: int,
    folder: Path,
    rate: int,
    seconds: float,
    seed: int,
) -> list[Span]:
    """Writes `count` continuations of random pieces of some music, which ignore their prompts."""
    lengths = [_seconds(span) for span in music]

    def read(which: int, start: float, stop: float) -> np.ndarray:
        span = music[which]
        # Pieces of mono and of stereo recordings are joined.
        return with_channels(read_excerpt(span.path, rate, span.start + start, stop - start).samples, 2)

    spans = []
    for i in range(count):
        path, rng = folder / f"spliced-{i:02d}.flac", np.random.default_rng([seed, i])
        write_flac(path, Waveform(random_splices(lengths, read, seconds, rate, rng, BaselineOptions()), rate))
        spans.append(Span(path))
    return spans


def _seconds(span: Span) -> float:
    return min(span.stop, seconds_of(span.path)) - span.start
