"""Continues music with a trained model and writes the result.

Keras is imported inside the functions that need it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from music_composer import parallel
from music_composer.audio.continuation import prompt_selection, sinks
from music_composer.audio.continuation.registry import with_prompt_seconds
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt, whole_recording
from music_composer.audio.wav import SAMPLE_BYTES
from music_composer.context import SILENT, Advance, Context
from music_composer.files.destinations import require_room
from music_composer.files.locks import locked_output
from music_composer.files.outputs import Output, beside, clean, numbered, require_free, staged
from music_composer.pipelines.audio.loaded import LoadedModel, Session, batches_of, fill, load, session_of
from music_composer.pipelines.audio.prompt_warnings import warn_out_of_distribution
from music_composer.pipelines.audio.requests import GenerateRequest, InfillRequest, StreamRequest
from music_composer.progress import duration
from music_composer.training.beginning import CHOICE, MEMORY, OPTIONS, WEIGHTS
from music_composer.values import Played

if TYPE_CHECKING:
    from music_composer.audio.continuation.writing import Written

STANDARD_OUTPUT = "-"


def require_outputs(options: GenerateOptions, sources: Iterable[Path] = ()) -> list[Output]:
    """Returns the outputs of a job. Raises OutputError where a file of somebody else is in the way.

    sources: files that the job reads, which are never replaced.
    """
    wanted = [beside(path, ".png") for path in numbered(options.name, options.count, ".wav")]
    require_free(wanted, options.overwrite, sources)
    size = SAMPLE_BYTES[options.subtype] * options.count * options.seconds * FrameOptions.rate
    require_room(wanted[0].manifest.parent, size, f"-g {options.count} -s {options.seconds:g}")
    return wanted


def generate(request: GenerateRequest, context: Context = SILENT, model: LoadedModel | None = None) -> list[Path]:
    """Writes continuations and returns the WAVs. model: of the run folder, if it is already loaded."""
    model = model or load(request.folders.model)
    model.with_head(request.network.asked)  # refused before anything else
    wanted = require_outputs(request.sampling, [*request.prompts, *request.blend])
    session = session_of(model, request, context)
    with locked_output(wanted[0].paths[0], request.folders.wait, context.say):
        return _write(model, request, session, wanted, context)


def write_batch(request: GenerateRequest, numbers: Sequence[int]) -> list[str]:
    """Writes some continuations of a request with a seed, and returns lines for the user. For a worker process.

    They equal those of the whole request where `numbers` are one of its batches.
    """
    said: list[str] = []
    folder = request.folders.model
    names = (OPTIONS, WEIGHTS, MEMORY, CHOICE)
    stamp = tuple((folder / name).stat().st_mtime_ns for name in names if (folder / name).exists())
    model = _kept_model(folder, stamp)
    session = session_of(model, request, SILENT)
    wanted = [beside(path, ".png") for path in numbered(session.options.name, session.options.count, ".wav")]
    player = model.player(session.run, session.options)
    for found, prompts in batches_of(session, player, Context(said.append), numbers):
        _write_together(player, session, wanted, found, prompts, lambda seconds: None)
    return said


@functools.lru_cache(maxsize=1)
def _kept_model(folder: Path, stamp: tuple[int, ...]) -> LoadedModel:
    """A worker process is given many batches of one model. stamp: changes when that is trained."""
    return load(folder)


def _write(
    model: LoadedModel, request: GenerateRequest, session: Session, wanted: Sequence[Output], context: Context
) -> list[Path]:
    options, seed = session.options, session.seed
    paths = [output.paths[0] for output in wanted]
    context.say(
        f"writing {options.count} continuations of {options.seconds:g} s, {paths[0]} to {paths[-1].name}, seed {seed}"
    )
    started, total = time.monotonic(), options.count * options.seconds
    with context.stage("generating", "seconds", f"writing {duration(total)} of music") as advance:
        clean(wanted)
        if context.executor:
            _write_elsewhere(request, session, paths, context.executor, advance, context)
        else:
            player = model.player(session.run, options)
            for numbers, prompts in batches_of(session, player, context):

                def written_of_each(seconds: float, numbers: Sequence[int] = numbers) -> None:
                    advance(numbers[0] * options.seconds + len(numbers) * seconds, total)

                _write_together(player, session, wanted, numbers, prompts, written_of_each)
                for number in numbers:
                    context.written(paths[number])
    spent = time.monotonic() - started
    context.say(f"{options.count} continuations in {duration(spent)}: {total / spent:.1f} x real time")
    return paths


def _write_elsewhere(
    request: GenerateRequest,
    session: Session,
    paths: Sequence[Path],
    executor: parallel.Executor,
    advance: Advance,
    context: Context,
) -> None:
    """Each batch by a process of the executor: a sample is the same only among those of its batch, to the last bit."""
    options = session.options
    # The seed is drawn by now, and an unusual prompt is said once.
    seeded = dataclasses.replace(request, sampling=dataclasses.replace(request.sampling, seed=session.seed))
    batches = [range(at, min(at + options.batch, options.count)) for at in range(0, options.count, options.batch)]
    said: dict[str, None] = {}
    finished = 0

    def done(number: int, result: Any) -> None:
        nonlocal finished
        finished += len(batches[number])
        advance(finished * options.seconds, options.count * options.seconds)
        for line in result:
            if line not in said:
                context.say(line)
                said[line] = None
        for each in batches[number]:
            context.written(paths[each])

    parallel.map(write_batch, [(seeded, batch) for batch in batches], executor, done, check=context.check)


def _write_together(
    player: Player,
    session: Session,
    wanted: Sequence[Output],
    numbers: Sequence[int],
    prompts: Sequence[Prompt],
    advance: Callable[[float], None],
) -> None:
    """Writes the WAVs of some samples side by side, each with its picture and its JSON."""
    from music_composer.audio.continuation.metadata import write_metadata
    from music_composer.audio.continuation.writing import write_continuations

    run, options, seed = session.run, session.options, session.seed
    paths = [output.paths[0] for output in wanted]
    with contextlib.ExitStack() as opened:
        files = [opened.enter_context(staged(wanted[i].manifest, options.overwrite)) for i in numbers]
        parts = [each.file(paths[i].name) for each, i in zip(files, numbers, strict=True)]
        written = write_continuations(player, run.frame, prompts, parts, numbers, options, seed, advance)
        for number, file, each in zip(numbers, written, files, strict=True):
            write_metadata(each, paths[number], file, number, run, options, seed)


def continue_into_scratch(
    run: Run,
    prompts: Sequence[Path],
    folder: Path,
    options: GenerateOptions,
    seed: int,
    model: LoadedModel | None = None,
) -> list[Written]:
    """Continues each recording into a scratch folder, without pictures and metadata, to be judged.

    run: with the head that plays. model: of the run folder, if it is already loaded.
    """
    from music_composer.audio.continuation.writing import write_continuations

    options = with_prompt_seconds(run, options, named=True)
    player = (model or LoadedModel(run)).player(run, options)
    made: list[Written] = []
    for first in range(0, len(prompts), options.batch):
        chunk = prompts[first : first + options.batch]
        numbers = range(first, first + len(chunk))
        excerpts = [
            prompt_selection.load_prompt([whole_recording(path, options.prompt_seconds)], run, 0.0) for path in chunk
        ]
        paths = [folder / f"played-{number}.wav" for number in numbers]
        made += write_continuations(player, run.frame, excerpts, paths, numbers, options, seed)
    return made


def stream(request: StreamRequest, context: Context = SILENT, model: LoadedModel | None = None) -> Path | None:
    """Plays one continuation while it is made: raw PCM on standard output (name "-"), or a WAV that grows.

    It ends after the requested seconds; an endless one when it is cancelled; any when the reader of standard output is
    gone.
    """
    request = dataclasses.replace(request, sampling=dataclasses.replace(request.sampling, count=1))
    model = model or load(request.folders.model)
    session = session_of(model, request, context)
    run, options, streaming = session.run, session.options, request.streaming
    prompt = session.prompt_of(0)
    path = None
    if options.name != STANDARD_OUTPUT:
        wanted = require_outputs(options, [*request.prompts, *request.blend])
        path = wanted[0].paths[0]
    with contextlib.ExitStack() as opened:
        if path:
            opened.enter_context(locked_output(path, request.folders.wait, context.say))
            clean(wanted)
        # Before the model is loaded: whatever that prints would become sound.
        raw = None if path else opened.enter_context(sinks.standard_output(options.subtype))
        player = model.player(run, options)
        warn_out_of_distribution(player, [prompt], context.say)
        from music_composer.audio.continuation.metadata import write_stream_metadata
        from music_composer.audio.continuation.stream import stream_continuation, throttled, write_stream

        out: sinks.Sink | None = raw
        if path:
            sink = sinks.growing_wav(path, run.frame.rate, run.channels, options.subtype, options.overwrite)
            out = opened.enter_context(sink)
        assert out  # one of the two is open
        length = "without end (Ctrl-C stops it)" if streaming.endless else f"{options.seconds:g} s"
        kind = f"{run.frame.rate} Hz, {run.channels} channels, {options.subtype}, little-endian"
        context.say(f"playing {length} into {path or 'standard output'}: {kind}, seed {session.seed}")
        pieces: Iterator[Played] = stream_continuation(player, run.frame, prompt, options, streaming, session.seed)
        if path and streaming.endless:
            pieces = throttled(pieces, run.frame.rate, streaming.ahead_seconds, context.wait)
            opened.enter_context(context.patiently("the piece that is being made is written"))
        pieces = _until_cancelled(pieces, streaming.endless, context)
        jumps = write_stream(out, pieces, run.frame.rate, streaming.endless, context.say)
        if path:
            write_stream_metadata(path, prompt, out.clipped, jumps, run, options, streaming, session.seed)
    if path:
        context.written(path)
    return path


def _until_cancelled(pieces: Iterator[Played], endless: bool, context: Context) -> Iterator[Played]:
    """Yields the same pieces. Cancelling ends an endless stream; for any other it raises Stopped."""
    for piece in pieces:
        yield piece
        if endless and context.stop_requested():
            return
        context.check()


def infill(request: InfillRequest, context: Context = SILENT, model: LoadedModel | None = None) -> Path:
    """Writes a recording whose gap the model of the run folder has filled."""
    request = dataclasses.replace(request, sampling=dataclasses.replace(request.sampling, count=1))
    model = model or load(request.folders.model)
    model.with_head(request.network.asked)  # refused before anything else
    prompt_selection.require_files("--infill", [request.recording])
    wanted = require_outputs(request.sampling, [request.recording])
    found = fill(model, request, context)
    from music_composer.audio.continuation.infill import write_filled
    from music_composer.audio.continuation.metadata import write_infill_metadata

    run, options, gap, filled = found.run, found.options, found.gap, found.filling
    path = wanted[0].paths[0]
    with (
        locked_output(path, request.folders.wait, context.say),
        staged(wanted[0].manifest, options.overwrite) as files,
    ):
        clean(wanted)
        clipped = write_filled(files.file(path.name), gap, filled, run.frame, options.subtype)
        write_infill_metadata(files, path, gap, filled, clipped, run, options, request.filling, found.seed)
    context.written(path)
    best, others = filled.join.candidate, filled.join.distances
    context.say(
        f"{path}: candidate {best} of 0 to {request.filling.candidates - 1} fits best, {others[best]:.1f} dB from the "
        f"music after the gap (the farthest {max(others):.1f} dB), played at {100 * filled.speed:.1f} % of its speed"
    )
    return path
