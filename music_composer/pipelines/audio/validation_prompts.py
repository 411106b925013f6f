"""Prompts from held-out music: whole tracks up to a cut, and excerpts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.options import EvaluateOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import read_prompt, whole_recording
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.wav import write_flac
from music_composer.errors import RecordingError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.cuts import Cut, CutOptions, cuts_of
from music_composer.files.outputs import staged
from music_composer.pipelines.audio.scoring import CARD

AFTER = 2.0  # seconds that an excerpt leaves after itself, if there are as many


def chosen_cuts(tracks: Sequence[Span], options: EvaluateOptions) -> list[Cut]:
    """Returns one cut of each track, thinned evenly to the number of continuations.

    There are none where fewer than two tracks can be cut.
    """
    cuts = cuts_of(tracks, CutOptions(), options.seconds)
    count = min(len(cuts), options.count)
    return [cuts[i * len(cuts) // count] for i in range(count)] if count > 1 else []


def write_prompts(
    real: Sequence[Span], cuts: Sequence[Cut], options: EvaluateOptions, names: Sequence[str], run: Run
) -> list[Path]:
    """Writes the music before the cuts; for the remaining names, excerpts of `real`, held-out music."""
    spans = [cut.prompt for cut in cuts][: len(names)]
    spans += excerpts_of(real, len(names) - len(spans), GenerateOptions().prompt_seconds)
    with staged(options.output / CARD, options.overwrite) as files:
        for name, span in zip(names, spans, strict=True):
            write_flac(files.file(name), read_excerpt(span.path, run.frame.rate, span.start, span.stop - span.start))
        return files.commit()


def sounding_excerpts(music: Sequence[Span], count: int, folder: Path, run: Run) -> list[Path]:
    """Writes at most `count` excerpts as FLAC to a new folder. Excerpts with too little sound are left out."""
    folder.mkdir()
    seconds, paths = GenerateOptions().prompt_seconds, []
    for i, span in enumerate(excerpts_of(music, count, seconds)):
        path = folder / f"prompt-{i:03d}.flac"
        write_flac(path, read_excerpt(span.path, run.frame.rate, span.start, span.stop - span.start))
        try:
            read_prompt(whole_recording(path, seconds), run.channels, run.model.frames_per_step, run.frame)
        except RecordingError:
            continue
        paths.append(path)
    return paths


def excerpts_of(music: Sequence[Span], count: int, seconds: float) -> list[Span]:
    """Returns `count` excerpts of at most `seconds`, spread over all the music, so that no two end alike."""
    excerpts = []
    for i in range(count):
        span = music[i % len(music)]
        stop = min(span.stop, seconds_of(span.path))
        # Excerpt by excerpt around all spans; a span with several is divided evenly among them.
        rounds = -(-count // len(music))
        latest = max(span.start, stop - seconds - AFTER)
        start = span.start + (i // len(music) + 0.5) / rounds * (latest - span.start)
        excerpts.append(Span(span.path, start, start + min(seconds, stop - start)))
    return excerpts
