"""Evaluates a run folder on held-out music, or one folder of recordings on another.

This module finds and generates the music. What is measured is in `evaluation`.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from music_composer.audio.continuation import prompt_selection, run_folder
from music_composer.audio.continuation.metadata import read_cut
from music_composer.audio.continuation.registry import with_prompt_seconds
from music_composer.audio.options import MEMORY, EvaluateOptions, FrameOptions
from music_composer.audio.play_options import GenerateOptions, StreamOptions
from music_composer.audio.prompts import whole_recording
from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.errors import MusicComposerError, RunFolderError
from music_composer.evaluation.audio.analysis import MetricOptions, Span, lengths_in
from music_composer.evaluation.audio.baseline_players import write_shuffled, write_spliced
from music_composer.evaluation.audio.baselines import SHUFFLED, SPLICED
from music_composer.evaluation.audio.cuts import Cut
from music_composer.evaluation.audio.minimum_length import require_windows_in, require_windows_of
from music_composer.evaluation.audio.scorecard_records import FolderFacts, RunFacts, Scorecard, SpeedFigures
from music_composer.files.locks import locked
from music_composer.files.outputs import clean, require_free, staged
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio import compose, generate
from music_composer.pipelines.audio.loaded import LoadedModel, load
from music_composer.pipelines.audio.reconstruction import codec_error, coded_name, write_coded
from music_composer.pipelines.audio.requests import EvaluateRequest, GenerateRequest, NetworkChoice
from music_composer.pipelines.audio.scoring import CARD, Music, card_output, judge
from music_composer.pipelines.audio.validation import (
    divided,
    held_out_recordings,
    held_out_tracks,
    pieces_of,
    split_of,
    thinned,
    whole_tracks,
)
from music_composer.pipelines.audio.validation_prompts import chosen_cuts, sounding_excerpts, write_prompts
from music_composer.training import checkpoint, devices

BASELINE_SECONDS = 30.0  # of a baseline's continuation, at most


def evaluate(request: EvaluateRequest, context: Context = SILENT, model: LoadedModel | None = None) -> Scorecard:
    """Evaluates the music of a run folder, or one folder of recordings on another. Writes the scorecard and its page.

    model: of the run folder, if it is already loaded.
    """
    if request.generated and request.reference:
        return evaluate_folders(request.generated, request.reference, request.evaluation, request.held_out, context)
    return evaluate_run(request, context, model=model)


def evaluate_run(
    request: EvaluateRequest,
    context: Context = SILENT,
    playing: Mapping[str, Any] = MappingProxyType({}),
    model: LoadedModel | None = None,
) -> Scorecard:
    """Continues held-out music with the model of the run folder, and evaluates the continuations.

    playing: fields of GenerateOptions other than their defaults. model: of the run folder, if it is already loaded.
    """
    folders, options, held_out = request.folders, request.evaluation, request.held_out
    require_windows_of(options, MetricOptions())
    prompts = [f"prompts/prompt-{i:02d}.flac" for i in range(max(options.count, options.long_count))]
    require_free([card_output(options, prompts)], options.overwrite)
    model = model or load(folders.model)
    run = model.with_head({"head": request.head})
    if run.model.head != MEMORY:
        devices.require_backend()
        if checkpoint.read_state(run.checkpoint) is None:
            raise RunFolderError(f"{run.checkpoint} is missing: run `music-composer train` first")
    ready = compose.prepare_cache(folders, run.frame, context)
    split = split_of(ready, run, context.say)
    training, validation = divided(ready, split)
    tracks = whole_tracks(ready, split)
    if held_out:  # the whole dataset is then the reference
        training, validation, tracks = (
            training + validation,
            held_out_recordings(held_out, context.say),
            held_out_tracks(held_out),
        )
    training = thinned(training, context.say)
    real = validation if held_out else pieces_of(validation)
    if not real:
        raise MusicComposerError(
            f"nothing of {folders.datasets} was held out of training, it is too short: "
            "give recordings that were not trained on with --held-out"
        )
    require_windows_in("the training music", training, MetricOptions())
    require_windows_in("the held-out music", real, MetricOptions())
    with locked(options.output, folders.wait, context.say):
        clean([card_output(options, prompts)])
        cuts = chosen_cuts(tracks, options)
        written = write_prompts(real, cuts, options, prompts, run)
        return _continued(request, model, run, training, real, cuts, written, playing, context)


def _continued(
    request: EvaluateRequest,
    model: LoadedModel,
    run: run_folder.Run,
    training: Sequence[Span],
    real: Sequence[Span],
    cuts: Sequence[Cut],
    prompts: Sequence[Path],
    playing: Mapping[str, Any],
    context: Context,
) -> Scorecard:
    """Continues the prompts, puts real music through the codec of a network, and evaluates both."""
    folders, options = request.folders, request.evaluation
    lengths = {"continuation": (options.seconds, options.count), "long": (options.long_seconds, options.long_count)}
    wanted = [
        GenerateOptions(name=str(options.output / name), seconds=seconds, count=count, overwrite=options.overwrite)
        for name, (seconds, count) in lengths.items()
        if count
    ]
    made = [
        _continuations(folders, model, run, prompts, dataclasses.replace(each, seed=options.seed, **playing), context)
        for each in wanted
    ]
    facts = _facts(run, [speed for _, speed in made], _first_sound(model, run, prompts[0]))
    codec: list[Span] = []
    if run.model.head != MEMORY:
        context.say("putting music through frames and back")
        names = [f"codec/{coded_name(i, span)}" for i, span in enumerate(real)]
        clean([card_output(options, names)])
        with staged(options.output / CARD, options.overwrite) as files:
            write_coded(real, [files.file(name) for name in names], run, model.network(run), options.seed)
            files.commit()
        codec = [Span(options.output / name, trim=span.trim) for name, span in zip(names, real, strict=True)]
        facts = dataclasses.replace(facts, codec_error_db=codec_error(real, codec, run.frame))
    with scratch_folder(options.output if context.executor else None) as scratch:
        # Drift is compared with training music after the codec, see `reference_statistics_of`. Nobody listens to it.
        pieces = pieces_of(training) if codec else []
        paths = [scratch / coded_name(i, span) for i, span in enumerate(pieces)]
        if pieces:
            write_coded(pieces, paths, run, model.network(run), options.seed)
        coded = [Span(path, trim=span.trim) for path, span in zip(paths, pieces, strict=True)]
        # Baselines and order need prompts whose true continuation is known, if there are any.
        spans = [Span(path) for path in prompts[: len(cuts) or options.count]]
        seconds = cuts[0].part if cuts else min(options.seconds, BASELINE_SECONDS)
        first = made[0][0]
        music = Music(
            made=[span for played, _ in made for span in played],
            training=training,
            real=real,
            codec=codec,
            coded_training=coded,
            prompts=spans,
            cuts=cuts,
            played={
                "continuations": first[: len(spans)],
                SHUFFLED: write_shuffled(spans, scratch, run.frame.rate, seconds, options.seed),
                SPLICED: write_spliced(training, len(spans), scratch, run.frame.rate, seconds, options.seed),
            },
            cut=[*first, *_more_cuts(options, model, run, real, scratch, playing, context)],
        )
        return judge(music, options, facts, context)


def evaluate_folders(
    generated: Path, reference: Path, options: EvaluateOptions, held_out: Path | None = None, context: Context = SILENT
) -> Scorecard:
    """Evaluates any recordings on any others. Without `held_out`, a tenth of each reference recording is held out."""
    require_free([card_output(options)], options.overwrite)
    recordings = lengths_in(reference, context.say)
    if held_out:
        training = [Span(path, trim=True) for path in recordings]
        real = held_out_recordings(held_out, context.say)
    else:
        real = pieces_of([Span(path, 0.8 * length, 0.9 * length) for path, length in recordings.items()])
        training = [Span(path, stop=0.8 * length) for path, length in recordings.items()]
        training += [Span(path, 0.9 * length) for path, length in recordings.items()]
    made = [Span(path, read_cut(path)) for path in lengths_in(generated, context.say, silent=True)]
    for what, spans in (("the reference", training), ("the held-out music", real), ("the generated music", made)):
        require_windows_in(what, spans, MetricOptions())
    with locked(options.output, say=context.say):
        clean([card_output(options)])
        count = min(len(made), options.count)
        with scratch_folder(options.output if context.executor else None) as scratch:
            splices = write_spliced(training, count, scratch, FrameOptions.rate, BASELINE_SECONDS, options.seed)
            music = Music(made, training, real, played={"continuations": made, SPLICED: splices})
            return judge(music, options, FolderFacts(str(generated)), context)


def _continuations(
    folders: FolderOptions,
    model: LoadedModel,
    run: run_folder.Run,
    prompts: Sequence[Path],
    wanted: GenerateOptions,
    context: Context,
) -> tuple[list[Span], SpeedFigures]:
    started = time.monotonic()
    chosen = NetworkChoice(head=run.model.head)
    request = GenerateRequest(folders, chosen, wanted, tuple(prompts[: wanted.count]))
    paths = generate.generate(request, context, model)
    spent, total = time.monotonic() - started, wanted.seconds * wanted.count
    speed = SpeedFigures(wanted.seconds, wanted.count, elapsed=round(spent, 1), x_real_time=total / spent)
    return [Span(path, read_cut(path)) for path in paths], speed


def _more_cuts(
    options: EvaluateOptions,
    model: LoadedModel,
    run: run_folder.Run,
    real: Sequence[Span],
    scratch: Path,
    playing: Mapping[str, Any],
    context: Context,
) -> list[Span]:
    """Writes further continuations of two seconds to a scratch folder, since continuity needs many cuts."""
    count = max(0, options.cut_count - options.count)
    prompts = sounding_excerpts(real, count, scratch / "cuts", run) if count else []
    if not prompts:
        return []
    context.say(f"continuing {len(prompts)} more prompts for two seconds each")
    wanted = GenerateOptions(**{**playing, "seconds": MetricOptions().continuity.most_seconds})
    written = generate.continue_into_scratch(run, prompts, scratch / "cuts", wanted, options.seed, model)
    return [Span(each.path, each.cut) for each in written]


def _first_sound(model: LoadedModel, run: run_folder.Run, prompt: Path) -> float:
    """Seconds from a loaded model to the first sound of a stream."""
    from music_composer.audio.continuation.stream import stream_continuation

    options = with_prompt_seconds(run, GenerateOptions(), named=True)
    player = model.player(run, options)
    loaded = prompt_selection.load_prompt([whole_recording(prompt, options.prompt_seconds)], run, options.blend_share)
    started = time.monotonic()
    pieces = stream_continuation(player, run.frame, loaded, options, StreamOptions(), seed=0)
    next(pieces)
    seconds = time.monotonic() - started
    pieces.close()
    return round(seconds, 2)


def _facts(run: run_folder.Run, generating: Sequence[SpeedFigures], first_sound: float) -> RunFacts:
    """The speed of training and generation, and what the run folder says about them."""
    import resource
    import sys

    state = checkpoint.read_state(run.checkpoint)
    units = 1024**2 if sys.platform == "darwin" else 1024  # of it in a megabyte: bytes there, kilobytes elsewhere
    epochs = [float(row["seconds"]) for row in state.history] if state else []
    return RunFacts(
        model=str(run.folder),
        model_options=run.model,
        versions=run_folder.versions(),
        epochs=len(epochs),
        training_seconds=round(sum(epochs), 1),
        seconds_an_epoch=round(sorted(epochs)[len(epochs) // 2], 2) if epochs else None,
        generating=tuple(generating),
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units),
        first_sound_seconds=first_sound,
    )
