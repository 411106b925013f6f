"""Prompts from music that a model never heard: whole tracks up to a cut, and excerpts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from music_composer.audio.prompts import read_prompt, whole_recording
from music_composer.audio.reading.recording import read_excerpt, seconds_of
from music_composer.audio.wav import write_flac
from music_composer.errors import RecordingError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.cuts import Cut, CutOptions, cuts_of
from music_composer.files.outputs import staged
from music_composer.options import EvaluateOptions, GenerateOptions
from music_composer.pipelines.audio.scoring import CARD
from music_composer.training.run_folder import Run

AFTER = 2.0  # seconds that an excerpt leaves behind itself, where there are so many


def chosen_cuts(tracks: Sequence[Span], options: EvaluateOptions) -> list[Cut]:
    """One of each track, or evenly from all of them where they are more than continuations; none where fewer than two
    tracks can be told apart.
    """
    cuts = cuts_of(tracks, CutOptions(), options.seconds)
    count = min(len(cuts), options.count)
    return [cuts[i * len(cuts) // count] for i in range(count)] if count > 1 else []


def write_prompts(
    real: Sequence[Span], cuts: Sequence[Cut], options: EvaluateOptions, names: Sequence[str], here: Run
) -> list[Path]:
    """What comes before the cuts; for the rest of the names excerpts of `real`, held-out music."""
    heard = [cut.prompt for cut in cuts][: len(names)]
    heard += excerpts_of(real, len(names) - len(heard), GenerateOptions().prompt_seconds)
    with staged(options.output / CARD, options.overwrite) as files:
        for name, span in zip(names, heard, strict=True):
            write_flac(files.file(name), read_excerpt(span.path, here.frame.rate, span.start, span.stop - span.start))
        return files.commit()


def sounding_excerpts(music: Sequence[Span], count: int, folder: Path, here: Run) -> list[Path]:
    """At most so many excerpts, as FLAC in a folder that is made; those that hold too little sound are left out."""
    folder.mkdir()
    seconds, paths = GenerateOptions().prompt_seconds, []
    for i, span in enumerate(excerpts_of(music, count, seconds)):
        path = folder / f"prompt-{i:03d}.flac"
        write_flac(path, read_excerpt(span.path, here.frame.rate, span.start, span.stop - span.start))
        try:
            read_prompt(whole_recording(path, seconds), here.channels, here.model.stack, here.frame)
        except RecordingError:
            continue
        paths.append(path)
    return paths


def excerpts_of(music: Sequence[Span], count: int, seconds: float) -> list[Span]:
    """So many excerpts of at most so many seconds, spread over all of it, so that no two end alike."""
    excerpts = []
    for i in range(count):
        span = music[i % len(music)]
        stop = min(span.stop, seconds_of(span.path))
        turns = -(-count // len(music))
        latest = max(span.start, stop - seconds - AFTER)
        start = span.start + (i // len(music) + 0.5) / turns * (latest - span.start)
        excerpts.append(Span(span.path, start, start + min(seconds, stop - start)))
    return excerpts
