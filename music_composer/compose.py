"""The whole journey, leg by leg: the only file that knows the order.

prepare -> train -> generate. Each leg takes plain options, says what it does, and returns what it made.
Keras is imported inside the legs that need it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from music_composer import excerpts
from music_composer.audio import growing
from music_composer.audio.gap import prompt_before, read_gap
from music_composer.data import batches, cache
from music_composer.data.lessons import WindowLessons
from music_composer.data.split_file import write_split
from music_composer.errors import MusicComposerError, OptionError
from music_composer.held_out import dataset_for, split_of
from music_composer.locks import locked
from music_composer.networks import trainable_network, trained_network
from music_composer.options import (
    FolderOptions,
    FrameOptions,
    GenerateOptions,
    InfillOptions,
    ModelOptions,
    StreamOptions,
    TrainOptions,
)
from music_composer.stopping import patiently
from music_composer.training import beginning, checkpoint, devices, run
from music_composer.training.job import next_job, run_job
from music_composer.training.progress import duration, progress_bar, say, with_estimate

Say = Callable[[str], None]
STANDARD_OUTPUT = "-"


def prepare(folders: FolderOptions, frame: FrameOptions = FrameOptions(), say: Say = say) -> cache.Cache:
    """Recordings to a cache of frames that is up to date."""
    started = time.monotonic()
    with progress_bar("preparing") as bar:
        advance = with_estimate(bar, f"preparing the recordings of {folders.datasets}")
        ready, report = cache.prepare(
            folders.datasets, folders.traindata, frame, say, lambda done, total: advance(done, total, "")
        )
    for remark in report.remarks:
        say(f"note: {remark}")
    say(
        f"{len(ready.songs)} recordings, {duration(ready.seconds)} of music: {report.done} prepared, "
        f"{report.kept} already there, {report.removed} removed ({duration(time.monotonic() - started)})"
    )
    return ready


def train(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    options: TrainOptions,
    fresh: bool = False,
    say: Say = say,
) -> run.Run:
    """Prepares, then trains in the run folder: on from what is there, unless `fresh`.

    model_options: the fields of ModelOptions that were asked for. A run folder made with others is an OptionError.
    """
    with locked(folders.model, folders.wait, say):
        here, trained_on = _trained(folders, model_options, options, fresh, False, say)
        _report_copying(trained_on, here, say)
    return here


def _trained(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    options: TrainOptions,
    fresh: bool,
    then_generate: bool,
    say: Say,
) -> tuple[run.Run, cache.Cache]:
    """The run folder when all of the training is saved, and what it was trained on."""
    devices.require_backend()
    old = run.going_on(folders.model, fresh)
    if old:
        _check_fits(old, model_options)
    ready = prepare(folders, old.frame if old else FrameOptions(), say)
    here = old or _new_run(folders.model, ready, ModelOptions(**model_options), options)
    before = checkpoint.read_state(here.checkpoint) if old else None
    state = next_job(before, options, ready.digest, then_generate, say)
    if state.job_done:
        return run.read_run(folders.model), ready
    split = split_of(ready, here, say, new=not old)
    dataset = dataset_for(ready, here, split)
    drawn = None if old else excerpts.draw_prompts(ready, here, state.seed, say)
    devices.load_keras()
    model = trainable_network(here, dataset.training, options, state, bool(old), say)

    def fill(folder: Path) -> None:
        excerpts.keep_prompts(dataclasses.replace(here, folder=folder), drawn or [])
        write_split(folder, split)
        checkpoint.save_checkpoint(folder / here.checkpoint.name, model, state)

    # Only now is it safe to begin a run folder: all that could be refused has been tried.
    if old:
        write_split(here.folder, split)
    else:
        run.begin(here, fill)
    _train_job(model, dataset, here, options, state, say)
    return run.read_run(folders.model), ready


def _report_copying(ready: cache.Cache, here: run.Run, say: Say) -> None:
    """Says how much the model copies. Whatever happens to that is a note: all that was asked for is there by now."""
    try:
        from music_composer import originality

        state = checkpoint.read_state(here.checkpoint)
        split = split_of(ready, here, lambda line: None)
        copied = originality.verdict(ready, here, split, state.seed) if state else None
    except Exception as error:
        why = str(error) if isinstance(error, MusicComposerError) else repr(error)[:300]
        copied = f"note: the copying report could not be made: {why}"
    if copied:
        say(copied)


def generate(
    folders: FolderOptions,
    options: GenerateOptions,
    prompts: Sequence[Path] = (),
    model_options: Mapping[str, Any] = MappingProxyType({}),
    blend: Sequence[Path] = (),
    say: Say = say,
) -> list[Path]:
    """Writes continuations with the model of the run folder; returns the WAVs.

    blend: two recordings whose mixture every sample goes on from, in place of `prompts`.
    """
    here = run.read_run(folders.model)
    _check_fits(here, model_options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    paths = [Path(f"{options.name}-{i}.wav") for i in range(options.count)]
    prompt_of = excerpts.prompts_for(folders, here, options, prompts, blend, seed, say)
    model = trained_network(here, options)
    from music_composer.audio.output import write_continuations
    from music_composer.liner_notes import write_liner_notes

    say(f"writing {options.count} continuations of {options.seconds:g} s, {paths[0]} to {paths[-1].name}, seed {seed}")
    started, total = time.monotonic(), options.count * options.seconds
    with progress_bar("generating") as bar:
        advance = with_estimate(bar, f"writing {duration(total)} of music")
        for first in range(0, options.count, options.batch):
            numbers = range(first, min(first + options.batch, options.count))

            def written_of_each(seconds: float, numbers: range = numbers) -> None:
                advance(numbers[0] * options.seconds + len(numbers) * seconds, total, "")

            heard = [prompt_of(i) for i in numbers]
            batch_paths = [paths[i] for i in numbers]
            written = write_continuations(
                model, here.frame, heard, batch_paths, numbers, options, seed, written_of_each
            )
            for number, file in zip(numbers, written, strict=True):
                write_liner_notes(file, number, here, options, seed)
    spent = time.monotonic() - started
    say(f"{options.count} continuations in {duration(spent)}: {total / spent:.1f} x real time")
    return paths


def stream(
    folders: FolderOptions,
    options: GenerateOptions,
    streaming: StreamOptions,
    prompts: Sequence[Path] = (),
    model_options: Mapping[str, Any] = MappingProxyType({}),
    blend: Sequence[Path] = (),
    say: Say = say,
) -> Path | None:
    """Plays one continuation while it is made, as raw PCM on standard output (name "-") or into a WAV that grows.

    Ends after `options.seconds`; an endless one with Ctrl-C; and any when nobody reads standard output any more.
    """
    here = run.read_run(folders.model)
    _check_fits(here, model_options)
    options = dataclasses.replace(options, count=1)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    prompt = excerpts.prompts_for(folders, here, options, prompts, blend, seed, say)(0)
    path = None if options.name == STANDARD_OUTPUT else Path(f"{options.name}-0.wav")
    with contextlib.ExitStack() as opened:
        # Before the model is loaded, since whatever that prints would be heard.
        raw = None if path else opened.enter_context(growing.standard_output(options.subtype))
        model = trained_network(here, options)
        from music_composer.audio.stream import at_listening_pace, play_into, stream_continuation
        from music_composer.liner_notes import write_stream_notes

        out: growing.Sink | None = raw
        if path:
            out = opened.enter_context(growing.growing_wav(path, here.frame.rate, here.channels, options.subtype))
        assert out
        length = "without end (Ctrl-C stops it)" if streaming.endless else f"{options.seconds:g} s"
        kind = f"{here.frame.rate} Hz, {here.channels} channels, {options.subtype}, little-endian"
        say(f"playing {length} into {path or 'standard output'}: {kind}, seed {seed}")
        pieces: Iterator[np.ndarray] = stream_continuation(model, here.frame, prompt, options, streaming, seed)
        if path and streaming.endless:
            pieces = at_listening_pace(pieces, here.frame.rate, streaming.ahead_seconds)
            opened.enter_context(patiently("the piece that is being made is written"))
        play_into(out, pieces, here.frame.rate, streaming.endless, say)
        if path:
            write_stream_notes(path, prompt, out.clipped, here, options, streaming, seed)
    return path


def infill(
    folders: FolderOptions,
    options: GenerateOptions,
    filling: InfillOptions,
    recording: Path,
    start: float,
    stop: float,
    model_options: Mapping[str, Any] = MappingProxyType({}),
    say: Say = say,
) -> Path:
    """Writes a recording whose gap from `start` to `stop` (seconds) the model of the run folder has filled."""
    here = run.read_run(folders.model)
    _check_fits(here, model_options)
    excerpts.require_files("--infill", [recording])
    gap = read_gap(recording, start, stop, options.prompt_seconds, here.frame, filling)
    prompt_before(gap, here.channels, here.model.stack, here.frame)  # refused before the model is loaded
    for remark in gap.remarks:
        say(f"note: {recording}: {remark}")
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    model = trained_network(here, options)
    from music_composer.audio.infill import fill_gap, write_filled
    from music_composer.liner_notes import write_infill_notes

    path = Path(f"{options.name}-0.wav")
    say(f"filling {start:g} s to {stop:g} s of {recording} from {filling.candidates} candidates, seed {seed}")
    filled = fill_gap(model, gap, here.channels, here.frame, options, filling, seed)
    clipped = write_filled(path, gap, filled, here.frame, options.subtype)
    write_infill_notes(path, gap, filled, clipped, here, options, filling, seed)
    best, others = filled.join.candidate, sorted(filled.join.distances)
    say(
        f"{path}: candidate {best} of 0 to {filling.candidates - 1} fits best, {others[0]:.1f} dB from the music after "
        f"the gap (the farthest {others[-1]:.1f} dB), played at {100 * filled.speed:.1f} % of its speed"
    )
    return path


def compose(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    training: TrainOptions,
    generating: GenerateOptions,
    prompts: Sequence[Path] = (),
    fresh: bool = False,
    blend: Sequence[Path] = (),
    say: Say = say,
) -> list[Path]:
    """The whole journey. Cut off anywhere, the same call goes on from there."""
    excerpts.require_prompts(prompts, blend, generating)
    with locked(folders.model, folders.wait, say):
        here, trained_on = _trained(folders, model_options, training, fresh, True, say)
        paths = generate(folders, generating, prompts, blend=blend, say=say)
        checkpoint.mark_generated(here.checkpoint)
        _report_copying(trained_on, here, say)
    return paths


def _new_run(home: Path, ready: cache.Cache, model: ModelOptions, options: TrainOptions) -> run.Run:
    """A run that has not begun: its folder is not there yet."""
    window_steps = batches.window_steps_for(ready.frames, model.stack, options)
    return run.Run(beginning.new_place(home), ready.options, model, ready.channels, window_steps, options.held_out)


def _train_job(
    model: Any, dataset: batches.Dataset, here: run.Run, options: TrainOptions, state: checkpoint.TrainState, say: Say
) -> None:
    if dataset.joined:
        say(f"note: {dataset.joined} recordings are shorter than a training window; they were joined")
    lessons = WindowLessons(dataset, options.batch_size, options.chunk_steps, options.stretch)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    say(
        f"training {here.model.layers} x {here.model.neurons} LSTM with {here.model.head} head, "
        f"{weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{lessons.batches} steps, seed {state.seed}, {devices.describe()}"
    )
    run_job(model, lessons, here, options, state, say)


def _check_fits(here: run.Run, asked: Mapping[str, Any]) -> None:
    """Options that were typed must be those of the run folder."""
    have = dataclasses.asdict(here.model)
    if any(have[name] != value for name, value in asked.items()):
        raise OptionError(
            f"{here.folder} was made with -n {here.model.neurons} -l {here.model.layers} --head {here.model.head}: "
            "leave these options out to go on with it, give another folder with -m, or start anew with --fresh"
        )
