"""Music after frames and back: the effect of a model's codec alone."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.codec import log_spectral_error, through_codec
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.linear_decoder import extended
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.wav import write_flac
from music_composer.evaluation.audio.analysis import Span
from music_composer.files.atomic import STEM_LENGTH


def coded_name(number: int, span: Span) -> str:
    """Returns the file name of a coded span."""
    return f"{number:03d}-{span.path.stem[:STEM_LENGTH]}.flac"


def write_coded(spans: Sequence[Span], paths: Sequence[Path], run: Run, model: Any, seed: int) -> None:
    """Writes music after the codec, a FLAC for each span. model: the network of the run folder."""
    options = GenerateOptions()
    kernel, bias = model.encoder.get_weights()
    for i, (span, path) in enumerate(zip(spans, paths, strict=True)):
        stop = min(span.stop, seconds_of(span.path))
        sound = read_excerpt(span.path, run.frame.rate, span.start, stop - span.start)
        # A generator for each file: its sound does not depend on how many there are.
        rng = np.random.default_rng([seed, i])
        decode = functools.partial(_decoded, model, options.residual, rng)
        frames_per_step, iterations = run.model.frames_per_step, options.phase_iterations
        decoded = through_codec(
            sound, (kernel, bias), decode, frames_per_step, run.channels, run.frame, iterations, rng
        )
        write_flac(path, decoded)


def _decoded(model: Any, residual: float, rng: np.random.Generator, latents: np.ndarray) -> np.ndarray:
    """Decodes latents (steps, components) of a whole recording to steps (steps, size), with the residual."""
    reach = model.options.reach
    steps: np.ndarray = model.decode(extended(latents, reach))
    return steps + model.residual(len(steps), residual, rng) if reach else steps


def codec_error(spans: Sequence[Span], coded: Sequence[Span], frame: FrameOptions) -> float:
    """Returns the mean log-spectral error of the files of `write_coded`, dB."""
    errors = []
    for span, file in zip(spans, coded, strict=True):
        original, decoded = (
            read_excerpt(piece.path, frame.rate, piece.start, min(piece.stop, seconds_of(piece.path)) - piece.start)
            for piece in (span, file)
        )
        errors.append(log_spectral_error(original, decoded, frame))
    return float(np.mean(errors))
