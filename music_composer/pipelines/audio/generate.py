"""The last leg of the audio journey: a trained model goes on playing, and what it played is written.

Keras is imported inside the functions that need it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from music_composer.audio.continuation import prompt_selection, sinks
from music_composer.audio.continuation.registry import listening, player_of, playing
from music_composer.audio.gap import prompt_before, read_gap
from music_composer.audio.prompts import Prompt, whole_recording
from music_composer.audio.wav import SAMPLE_BYTES
from music_composer.context import SILENT, Context
from music_composer.files.destinations import require_room
from music_composer.files.locks import locked_output
from music_composer.files.outputs import Output, beside, clean, numbered, require_free, staged
from music_composer.options import MEMORY, FolderOptions, FrameOptions, GenerateOptions, InfillOptions, StreamOptions
from music_composer.pipelines.audio.prompt_warnings import note_long, note_strange
from music_composer.progress import duration
from music_composer.training import run_folder
from music_composer.values import Played

if TYPE_CHECKING:
    from music_composer.audio.continuation.output import Written

STANDARD_OUTPUT = "-"


def require_outputs(options: GenerateOptions, sources: Iterable[Path] = ()) -> list[Output]:
    """The outputs that there will be. Raises OutputError where one is in the way that is not ours.

    sources: what is read for them, which is never replaced.
    """
    wanted = [beside(path, ".png") for path in numbered(options.name, options.count, ".wav")]
    require_free(wanted, options.overwrite, sources)
    size = SAMPLE_BYTES[options.subtype] * options.count * options.seconds * FrameOptions.rate
    require_room(wanted[0].manifest.parent, size, f"-g {options.count} -s {options.seconds:g}")
    return wanted


def generate(
    folders: FolderOptions,
    options: GenerateOptions,
    prompts: Sequence[Path] = (),
    model_options: Mapping[str, Any] = MappingProxyType({}),
    blend: Sequence[Path] = (),
    context: Context = SILENT,
) -> list[Path]:
    """Writes continuations with the model of the run folder; returns the WAVs.

    blend: two recordings whose mixture every sample goes on from, in place of `prompts`.
    """
    here = playing(run_folder.read_run(folders.model), model_options)
    options = listening(here, options, named=bool(prompts or blend))
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    wanted = require_outputs(options, [*prompts, *blend])
    prompt_of = prompt_selection.prompts_for(folders, here, options, prompts, blend, seed, context.say)
    note_long(here, [*blend, *prompts[: options.count]], options.prompt_seconds, context.say)
    with locked_output(wanted[0].paths[0], folders.wait, context.say):
        return _continued(here, prompt_of, wanted, options, seed, context)


def _continued(
    here: run_folder.Run,
    prompt_of: Callable[[int], Prompt],
    wanted: Sequence[Output],
    options: GenerateOptions,
    seed: int,
    context: Context,
) -> list[Path]:
    player = player_of(here, options)
    paths, noted = [output.paths[0] for output in wanted], set[Path]()
    from music_composer.audio.continuation.metadata import write_liner_notes
    from music_composer.audio.continuation.output import write_continuations

    context.say(
        f"writing {options.count} continuations of {options.seconds:g} s, {paths[0]} to {paths[-1].name}, seed {seed}"
    )
    started, total = time.monotonic(), options.count * options.seconds
    with context.stage("generating", "seconds", f"writing {duration(total)} of music") as advance:
        clean(wanted)
        for first in range(0, options.count, options.batch):
            numbers = range(first, min(first + options.batch, options.count))

            def written_of_each(seconds: float, numbers: range = numbers) -> None:
                advance(numbers[0] * options.seconds + len(numbers) * seconds, total)

            heard = [prompt_of(i) for i in numbers]
            note_strange(player, [prompt for prompt in heard if prompt.source not in noted], context.say)
            noted |= {prompt.source for prompt in heard}
            with contextlib.ExitStack() as opened:
                files = [opened.enter_context(staged(wanted[i].manifest, options.overwrite)) for i in numbers]
                parts = [each.file(paths[i].name) for each, i in zip(files, numbers, strict=True)]
                written = write_continuations(player, here.frame, heard, parts, numbers, options, seed, written_of_each)
                for number, file, each in zip(numbers, written, files, strict=True):
                    write_liner_notes(each, paths[number], file, number, here, options, seed)
    spent = time.monotonic() - started
    context.say(f"{options.count} continuations in {duration(spent)}: {total / spent:.1f} x real time")
    return paths


def play_into_scratch(
    here: run_folder.Run, prompts: Sequence[Path], folder: Path, options: GenerateOptions, seed: int
) -> list[Written]:
    """A continuation of each recording, to be judged: without pictures and notes, in a folder of the moment."""
    from music_composer.audio.continuation.output import write_continuations

    options = listening(here, options, named=True)
    player = player_of(here, options)
    made: list[Written] = []
    for first in range(0, len(prompts), options.batch):
        few = prompts[first : first + options.batch]
        numbers = range(first, first + len(few))
        heard = [prompt_selection.hear([whole_recording(path, options.prompt_seconds)], here, 0.0) for path in few]
        paths = [folder / f"played-{number}.wav" for number in numbers]
        made += write_continuations(player, here.frame, heard, paths, numbers, options, seed)
    return made


def stream(
    folders: FolderOptions,
    options: GenerateOptions,
    streaming: StreamOptions,
    prompts: Sequence[Path] = (),
    model_options: Mapping[str, Any] = MappingProxyType({}),
    blend: Sequence[Path] = (),
    context: Context = SILENT,
) -> Path | None:
    """Plays one continuation while it is made, as raw PCM on standard output (name "-") or into a WAV that grows.

    Ends after `options.seconds`; an endless one with Ctrl-C; and any when nobody reads standard output any more.
    """
    here = playing(run_folder.read_run(folders.model), model_options)
    options = listening(here, dataclasses.replace(options, count=1), named=bool(prompts or blend))
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    prompt = prompt_selection.prompts_for(folders, here, options, prompts, blend, seed, context.say)(0)
    note_long(here, [*blend, *prompts[:1]], options.prompt_seconds, context.say)
    path = None
    if options.name != STANDARD_OUTPUT:
        wanted = require_outputs(options, [*prompts, *blend])
        path = wanted[0].paths[0]
    with contextlib.ExitStack() as opened:
        if path:
            opened.enter_context(locked_output(path, folders.wait, context.say))
            clean(wanted)
        # Before the model is loaded, since whatever that prints would be heard.
        raw = None if path else opened.enter_context(sinks.standard_output(options.subtype))
        player = player_of(here, options)
        note_strange(player, [prompt], context.say)
        from music_composer.audio.continuation.metadata import write_stream_notes
        from music_composer.audio.continuation.stream import at_listening_pace, play_into, stream_continuation

        out: sinks.Sink | None = raw
        if path:
            sink = sinks.growing_wav(path, here.frame.rate, here.channels, options.subtype, options.overwrite)
            out = opened.enter_context(sink)
        assert out
        length = "without end (Ctrl-C stops it)" if streaming.endless else f"{options.seconds:g} s"
        kind = f"{here.frame.rate} Hz, {here.channels} channels, {options.subtype}, little-endian"
        context.say(f"playing {length} into {path or 'standard output'}: {kind}, seed {seed}")
        pieces: Iterator[Played] = stream_continuation(player, here.frame, prompt, options, streaming, seed)
        if path and streaming.endless:
            pieces = at_listening_pace(pieces, here.frame.rate, streaming.ahead_seconds, context.wait)
            opened.enter_context(context.patiently("the piece that is being made is written"))
        pieces = _until_cancelled(pieces, streaming.endless, context)
        jumps = play_into(out, pieces, here.frame.rate, streaming.endless, context.say)
        if path:
            write_stream_notes(path, prompt, out.clipped, jumps, here, options, streaming, seed)
    return path


def _until_cancelled(pieces: Iterator[Played], endless: bool, context: Context) -> Iterator[Played]:
    """The same pieces. Cancelling is how an endless stream ends; any other raises Stopped."""
    for piece in pieces:
        yield piece
        if endless and context.stop_requested():
            return
        context.check()


def infill(
    folders: FolderOptions,
    options: GenerateOptions,
    filling: InfillOptions,
    recording: Path,
    start: float,
    stop: float,
    model_options: Mapping[str, Any] = MappingProxyType({}),
    context: Context = SILENT,
) -> Path:
    """Writes a recording whose gap from `start` to `stop` (seconds) the model of the run folder has filled."""
    here = playing(run_folder.read_run(folders.model), model_options)
    prompt_selection.require_files("--infill", [recording])
    options = listening(here, dataclasses.replace(options, count=1), named=True)
    wanted = require_outputs(options, [recording])
    path = wanted[0].paths[0]
    after = options.prompt_seconds if here.model.head == MEMORY else 0.0
    gap = read_gap(recording, start, stop, options.prompt_seconds, here.frame, filling, after)
    prompt_before(gap, here.channels, here.model.stack, here.frame)  # refused before the model is loaded
    for remark in gap.remarks:
        context.say(f"note: {recording}: {remark}")
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    player = player_of(here, options)
    from music_composer.audio.continuation.infill import write_filled
    from music_composer.audio.continuation.metadata import write_infill_notes

    context.say(f"filling {start:g} s to {stop:g} s of {recording} from {filling.candidates} candidates, seed {seed}")
    filled = player.filled(gap, here.channels, filling, seed)
    with locked_output(path, folders.wait, context.say), staged(wanted[0].manifest, options.overwrite) as files:
        clean(wanted)
        clipped = write_filled(files.file(path.name), gap, filled, here.frame, options.subtype)
        write_infill_notes(files, path, gap, filled, clipped, here, options, filling, seed)
    best, others = filled.join.candidate, filled.join.distances
    context.say(
        f"{path}: candidate {best} of 0 to {filling.candidates - 1} fits best, {others[best]:.1f} dB from the music "
        f"after the gap (the farthest {max(others):.1f} dB), played at {100 * filled.speed:.1f} % of its speed"
    )
    return path
