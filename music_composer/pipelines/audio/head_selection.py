"""Chooses between network and memory: both continue held-out music, and the better one plays.

Held-out music is cut into prompts and what truly follows them. A good continuation is nearer to what follows its own
prompt than to other music (see `evaluation.audio.similarity.adherence`), and sounds like real music (see
`evaluation.audio.similarity.frechet_distance`). Held-out music is in no memory: see `build_memory`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.audio.continuation.choice_file import Choice, Figures, Head, summary, training_of, write_choice
from music_composer.audio.continuation.registry import with_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset import cache
from music_composer.audio.options import FLOW, MEMORY
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import Excerpt, read_prompt
from music_composer.audio.reading.recording import mono_samples, read_excerpt
from music_composer.audio.wav import write_flac
from music_composer.context import Context
from music_composer.data.split import Split
from music_composer.errors import MusicComposerError, RecordingError
from music_composer.evaluation.audio.analysis import Span
from music_composer.evaluation.audio.cuts import Cut
from music_composer.evaluation.audio.minimum_length import min_windows, windows_in
from music_composer.evaluation.audio.similarity.adherence import character, distances, whitening_of
from music_composer.evaluation.audio.similarity.frechet_distance import (
    DistanceOptions,
    frechet,
    reference_of,
    window_features,
)
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio.generate import continue_into_scratch
from music_composer.pipelines.audio.validation import divided
from music_composer.progress import duration
from music_composer.training.checkpoint import TrainState


@dataclasses.dataclass(frozen=True)
class ChoosingOptions:
    """Where both heads are judged, and by how much music. Seconds."""

    lengths: tuple[tuple[float, float], ...] = ((20.0, 10.0), (10.0, 7.5), (5.0, 4.0))  # of a prompt, and what follows
    most_places: int = 8
    wanted_places: int = 4  # shorter lengths are used where there are fewer
    least_places: int = 2
    others: int = 8  # pieces of training music to which continuations may be nearer
    reference_seconds: float = 300.0  # of training music from which distances are measured
    most_distance: float = 1.5  # relative to real music; beyond it, being nearer is not enough


def choose(ready: cache.Cache, run: Run, split: Split, state: TrainState, context: Context) -> Choice:
    """Judges both heads of a run folder and writes the choice. The same seed gives the same choice."""
    started = time.monotonic()
    network = memory = None
    places: Sequence[Cut] = ()
    try:
        training, held_out = divided(ready, split)
        places = [cut for cut in places_in(held_out, ChoosingOptions()) if sounds(cut, run)]
        if len(places) >= ChoosingOptions.least_places:
            context.say(
                f"continuing {len(places)} places of held-out music with the network and with the memory, to choose one"
            )
            network, memory = judged(run, places, training, state.seed)
    except MusicComposerError as error:
        context.say(f"note: the network and the memory cannot be compared: {error}")
    # A choice without figures is written too, so that the job counts as done.
    if network is None or memory is None:
        choice = Choice("flow", 0, training_of(state))
    else:
        choice = Choice(better(network, memory), len(places), training_of(state), network, memory)
    write_choice(run.choice, choice)
    context.say(summary(choice, duration(time.monotonic() - started)))
    return choice


def better(network: Figures, memory: Figures, options: ChoosingOptions = ChoosingOptions()) -> Head:
    """Returns the head whose continuations are nearer to what truly follows.

    It loses if its sound is farther from the music than `most_distance` times real music, and the sound of the other is
    not as far. Nearness compares half seconds without their level: the right chords in the wrong sound are near, but
    nobody would want to hear them.
    """
    heads: dict[Head, Figures] = {"flow": network, "memory": memory}
    nearer, other = sorted(heads, key=lambda head: heads[head].own_over_others)
    far = heads[nearer].distance_over_real > options.most_distance
    return other if far and heads[other].distance_over_real < heads[nearer].distance_over_real else nearer


def places_in(held_out: Sequence[Span], options: ChoosingOptions) -> list[Cut]:
    """Returns the cuts of held-out music with the longest prompts that leave enough cuts, from all recordings.

    The list is empty where there are too few cuts, or too little music to be measured.
    """
    distance = DistanceOptions()
    found = [_cut(held_out, prompt, part, options.most_places) for prompt, part in options.lengths]
    enough = [
        cuts
        for cuts in found
        if len(cuts) >= options.least_places and len(cuts) * windows_in(cuts[0].part, distance) >= min_windows(distance)
    ]
    many = [cuts for cuts in enough if len(cuts) >= options.wanted_places]
    return next(iter(many or enough), [])


def sounds(cut: Cut, run: Run) -> bool:
    """Returns whether a cut has a usable prompt and a true continuation that sounds.

    False for an unreadable recording.
    """
    try:
        read_prompt(
            Excerpt(cut.path, cut.start, cut.at - cut.start), run.channels, run.model.frames_per_step, run.frame
        )
        truth = mono_samples(cut.path, run.frame.rate, cut.truth.start, cut.truth.stop)
    except RecordingError:
        return False
    return float(np.abs(truth).max(initial=0.0)) > 10.0 ** (DistanceOptions.trim_db / 20.0)


def judged(run: Run, places: Sequence[Cut], training: Sequence[Span], seed: int) -> tuple[Figures, Figures]:
    """Returns the figures of the network and of the memory. training: spans of the training music.

    Raises MusicComposerError where the music is too little, or too uniform, to measure by.
    """
    options, part = ChoosingOptions(), places[0].part
    others = [piece.truth for piece in _cut(training, 0.0, part, options.others)]
    reference_pieces = [piece.truth for piece in _cut(training, 0.0, part, round(options.reference_seconds / part))]
    played: list[list[Span]] = []
    with scratch_folder() as scratch:
        prompts = []
        for number, cut in enumerate(places):
            prompts.append(scratch / f"prompt-{number}.flac")
            write_flac(prompts[-1], read_excerpt(cut.path, run.frame.rate, cut.start, cut.at - cut.start))
        for head in (FLOW, MEMORY):
            (scratch / head).mkdir()
            wanted = GenerateOptions(seconds=part)
            written = continue_into_scratch(with_head(run, head), prompts, scratch / head, wanted, seed)
            played.append([Span(file.path, file.cut) for file in written])
        made = [_samples(spans) for spans in played]
    truths, elsewhere = _samples([cut.truth for cut in places]), _samples(others)
    reference = reference_of(_features(_samples(reference_pieces)), DistanceOptions())
    # Not 0, which would make every figure infinite.
    real = max(frechet(reference, _features(truths)), 1e-9)
    recordings = [cut.path for cut in places], [piece.path for piece in others]
    network, memory = (
        Figures(own_over_others(samples, truths, elsewhere, *recordings), frechet(reference, _features(samples)) / real)
        for samples in made
    )
    return network, memory


def own_over_others(
    made: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    elsewhere: Sequence[np.ndarray],
    recordings: Sequence[Path],
    others: Sequence[Path],
) -> float:
    """Returns the mean energy distance of continuations to what truly follows, over that to other recordings.

    made, truths: samples (n,) at DistanceOptions.rate, one for each place. elsewhere: other music. recordings, others:
    the recordings of places and of other music; with a single recording, its other places count as other music. Raises
    MusicComposerError where pieces of music cannot be told apart.
    """
    options = DistanceOptions()
    characters = [character(samples, options) for samples in (*truths, *elsewhere)]
    matrix = distances([character(samples, options) for samples in made], characters, whitening_of(characters, options))
    own, far = [], []
    for i, path in enumerate(recordings):
        foreign = [j for j, other in enumerate((*recordings, *others)) if other != path]
        own.append(matrix[i, i])
        far.append(matrix[i, foreign or [j for j in range(len(characters)) if j != i]].mean())
    if not np.mean(far) > 0:
        raise MusicComposerError("all of it is alike")
    return float(np.mean(own) / np.mean(far))


def _cut(spans: Sequence[Span], prompt: float, part: float, most: int) -> list[Cut]:
    """Returns at most `most` cuts, as many of each span and evenly over all of it."""
    length = prompt + part
    long = [span for span in spans if span.stop - span.start >= length]
    each = -(-most // len(long)) if long else 0
    cuts = []
    for span in long:
        count = min(each, int((span.stop - span.start) / length))
        starts = [span.start + i * (span.stop - span.start) / count for i in range(count)]
        cuts += [Cut(span.path, start, start + prompt, part) for start in starts]
    count = min(most, len(cuts))
    return [cuts[i * len(cuts) // count] for i in range(count)]


def _samples(spans: Sequence[Span]) -> list[np.ndarray]:
    return [mono_samples(span.path, DistanceOptions.rate, span.start, span.stop) for span in spans]


def _features(pieces: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([window_features(piece, DistanceOptions()) for piece in pieces])
