"""After training: how much of the model's music is in its training music, in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.continuation.registry import select_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset.cache import Cache
from music_composer.audio.memory import store
from music_composer.audio.memory.analysis.steps import StepOptions
from music_composer.audio.memory.analysis.transposed import transposed
from music_composer.audio.options import MEMORY
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.reading.recording import mono_blocks, mono_samples
from music_composer.data.split import Split
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.signal.semitones import semitone_levels, semitones_of_blocks
from music_composer.evaluation.audio.similarity.copying import (
    NO_COPY,
    Copy,
    CopyOptions,
    Library,
    library_of,
    longest_copy,
)
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio.generate import continue_into_scratch
from music_composer.pipelines.audio.validation import divided, pieces_of
from music_composer.pipelines.audio.validation_prompts import sounding_excerpts

CHECKED = 4  # continuations, each of so many seconds
CHECKED_SECONDS = 20.0
MIN_SECONDS, MAX_SECONDS = 60.0, 7200.0  # of training music: less says nothing, more would take minutes to search
BY_CHANCE = 5.0  # seconds that music of one style shares: held-out chorales share 4.0 (copying_check.py)


def verdict(ready: Cache, run: Run, split: Split, seed: int) -> str | None:
    """Returns a line about the longest run that continuations of held-out music share with the training music.

    The same figure of held-out music is beside it. None where there is too little music to say, or too much to search.
    """
    training, held_out = divided(ready, split)
    total = sum(span.stop - span.start for span in training)
    if not MIN_SECONDS <= total <= MAX_SECONDS:
        return None
    options = CopyOptions()
    library = library_of([_levels(span, options) for span in training])
    real = pieces_of(held_out)
    with scratch_folder() as scratch:
        made = _longest(_continuations(run, real, scratch, seed), library, options, _speeds(run))
    reference = _longest(real[:: -(-len(real) // CHECKED)], library, options) if real else NO_COPY
    beside = f"; held-out music shares {reference.seconds:.1f} s" if real else ""
    # Held-out music shares that much without any copying.
    if made.seconds <= max(BY_CHANCE, reference.seconds):
        return f"longest run that a continuation shares with a recording: {made.seconds:.1f} s{beside}"
    source, run = training[made.source], select_head(run, {})
    better = "More recordings make" if run.model.head == MEMORY else "More recordings or fewer epochs make"
    return (
        f"note: the model copies: a continuation shares {made.seconds:.1f} s with {source.path.name} at "
        f"{source.start + made.source_start:.0f} s{beside}. {better} it newer"
    )


def _continuations(run: Run, real: Sequence[Span], folder: Path, seed: int) -> list[Span]:
    """Continues excerpts of held-out music; where there is none, the excerpts in the run folder.

    An excerpt of the training music would count as a copy as soon as a memory plays it again.
    """
    prompts = sounding_excerpts(real, CHECKED, folder / "prompts", run) if real else []
    prompts = prompts or sorted(run.prompts.glob("*.flac"))[:CHECKED]
    written = continue_into_scratch(
        select_head(run, {}), prompts, folder, GenerateOptions(seconds=CHECKED_SECONDS), seed
    )
    return [Span(each.path, each.cut) for each in written]


def _speeds(run: Run) -> tuple[int, ...]:
    """Returns the transpositions of a memory, in semitones, which also change the speed."""
    run = select_head(run, {})
    return store.read_index(run.memory, StepOptions()).semitones if run.model.head == MEMORY else ()


def _longest(spans: Sequence[Span], library: Library, options: CopyOptions, speeds: Sequence[int] = ()) -> Copy:
    copies = [copy for span in spans for copy in _copies(span, library, options, speeds)]
    return max(copies, key=lambda copy: copy.seconds, default=NO_COPY)


def _copies(span: Span, library: Library, options: CopyOptions, speeds: Sequence[int]) -> Iterator[Copy]:
    """Yields the longest run at each speed at which recordings are played. Its seconds are those of the span."""
    yield longest_copy(_levels(span, options), library, options)
    if speeds:
        samples = mono_samples(span.path, options.spectrum.rate, span.start, span.stop)
    for semitones in speeds:
        # The library holds recordings at their own speed, so transposed music is brought back to it.
        undone = transposed(samples, -semitones)
        copy = longest_copy(semitone_levels(undone, options.spectrum), library, options)
        yield dataclasses.replace(copy, seconds=copy.seconds * len(samples) / len(undone))


def _levels(span: Span, options: CopyOptions) -> np.ndarray:
    return semitones_of_blocks(mono_blocks(span.path, options.spectrum.rate, span.start, span.stop), options.spectrum)
