"""The jobs of training on recordings: prepare, train, and both with continuations after them.

Each takes a request and a context. Keras is imported inside the functions that need it.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.continuation import prompt_selection
from music_composer.audio.continuation.choice_file import is_owed
from music_composer.audio.continuation.networks import trainable_network
from music_composer.audio.continuation.registry import check_fits
from music_composer.audio.dataset import cache, windows
from music_composer.audio.dataset.batches import WindowLoader
from music_composer.audio.models import sizing
from music_composer.context import SILENT, Context
from music_composer.data.split import Split
from music_composer.data.split_file import write_split
from music_composer.errors import MusicComposerError
from music_composer.files.locks import locked
from music_composer.options import (
    AUTO,
    MEMORY,
    FolderOptions,
    FrameOptions,
    ModelOptions,
    TrainOptions,
    network_of,
)
from music_composer.pipelines.audio import build_memory, generate, head_selection
from music_composer.pipelines.audio.requests import ComposeRequest, PrepareRequest, TrainRequest
from music_composer.pipelines.audio.validation import dataset_for, split_of
from music_composer.progress import duration
from music_composer.training import beginning, checkpoint, devices, run_folder
from music_composer.training.job import next_job, run_job

SMALL_BATCH, MOST_TIMES = 32, 4  # a batch that is larger holds each window so many times at most


def prepare(request: PrepareRequest, context: Context = SILENT) -> cache.Cache:
    """Recordings to a cache of frames that is up to date."""
    return prepare_cache(request.folders, FrameOptions(), context)


def prepare_cache(folders: FolderOptions, frame: FrameOptions, context: Context = SILENT) -> cache.Cache:
    """The same for the frames of a run folder."""
    with locked(folders.traindata, folders.wait, context.say):
        return _prepared(folders, frame, context)


def _prepared(folders: FolderOptions, frame: FrameOptions, context: Context) -> cache.Cache:
    """The same, where the cache is locked already."""
    started = time.monotonic()
    task = f"preparing the recordings of {folders.datasets}"
    with context.stage("preparing", "bytes", task) as advance:
        ready, report = cache.prepare(folders.datasets, folders.traindata, frame, context.say, advance)
    for remark in report.remarks:
        context.say(f"note: {remark}")
    context.say(
        f"{len(ready.songs)} recordings, {duration(ready.seconds)} of music: {report.done} prepared, "
        f"{report.kept} already there, {report.removed} removed ({duration(time.monotonic() - started)})"
    )
    return ready


def train(request: TrainRequest, context: Context = SILENT) -> run_folder.Run:
    """Prepares, then trains in the run folder: on from what is there, unless it is to be fresh.

    Neurons, layers and epochs that were not asked for fit the amount of music. Raises OptionError for a run folder that
    was made with another network than is asked for.
    """
    folders = request.folders
    # Training reads the cache all the time: nobody else may take songs out of it meanwhile.
    with locked(folders.model, folders.wait, context.say), locked(folders.traindata, folders.wait, context.say):
        here, trained_on = _trained(request, False, context)
        _report_copying(trained_on, here, context)
    return here


def _trained(request: TrainRequest, then_generate: bool, context: Context) -> tuple[run_folder.Run, cache.Cache]:
    """The run folder when all of the training is saved, and what it was trained on. Both folders are locked."""
    folders, options, asked = request.folders, request.training, request.network.asked
    old = run_folder.going_on(folders.model, request.fresh)
    if old:
        check_fits(old, asked)
    head = old.model.head if old else asked.get("head", ModelOptions.head)
    if head != MEMORY:
        devices.require_backend()
    ready = _prepared(folders, old.frame if old else FrameOptions(), context)
    fit = sizing.fit_to(ready.seconds / 60)
    network = old.model if old else network_of({**fit.network, **asked})
    here = old or _new_run(folders.model, ready, network, options)
    if network.head == MEMORY:
        build_memory.remember_run(here, ready, not old, options.seed, context)
        return run_folder.read_run(folders.model), ready
    before = checkpoint.read_state(here.checkpoint) if old else None
    if before and is_owed(here, before, ready.digest):
        context.say("the training of this job is finished, what plays is not chosen: going on with that")
        split = split_of(ready, here, context.say)
        build_memory.keep_memory(here, build_memory.remember_music(here, ready, split, context))
        return _chosen(here, ready, split, before, context), ready
    chosen = {} if old else {name: value for name, value in fit.network.items() if name not in asked}
    if options.epochs is None and (before is None or before.job_done):
        chosen["epochs"] = fit.epochs
    state = next_job(before, options, ready.digest, then_generate, context.say, fit.epochs)
    if state.job_done:
        return run_folder.read_run(folders.model), ready
    if chosen:
        context.say(sizing.said(ready.seconds / 60, chosen))
    return _learnt(here, ready, options, state, not old, context), ready


def _learnt(
    here: run_folder.Run,
    ready: cache.Cache,
    options: TrainOptions,
    state: checkpoint.TrainState,
    new: bool,
    context: Context,
) -> run_folder.Run:
    """Trains the network until its job is done, remembers the music where that is to be played too, and chooses."""
    split = split_of(ready, here, context.say, new=new)
    dataset = dataset_for(ready, here, split)
    drawn = prompt_selection.draw_prompts(ready, here, state.seed, context.say) if new else []
    devices.load_keras()
    model = trainable_network(here, dataset.training, options, state, not new, context.say)
    both = here.model.head == AUTO
    index = build_memory.remember_music(here, ready, split, context) if both else None

    def fill(folder: Path) -> None:
        place = dataclasses.replace(here, folder=folder)
        if new:
            prompt_selection.keep_prompts(place, drawn)
            checkpoint.save_checkpoint(place.checkpoint, model, state)
        write_split(folder, split)
        if index:
            build_memory.keep_memory(place, index)

    # Only now is it safe to begin a run folder: all that could be refused has been tried.
    if new:
        run_folder.begin(here, fill)
    else:
        fill(here.folder)
    _train_job(model, dataset, here, options, state, context)
    trained = run_folder.read_run(beginning.home_of(here.folder))
    if both:
        return _chosen(trained, ready, split, state, context)
    build_memory.forget_unnamed(trained)
    return trained


def _chosen(
    here: run_folder.Run, ready: cache.Cache, split: Split, state: checkpoint.TrainState, context: Context
) -> run_folder.Run:
    """The run folder when it is settled which of its heads plays."""
    build_memory.forget_others(here)
    head_selection.choose(ready, here, split, state, context)
    return here


def _batch_size(dataset: windows.Dataset, asked: int, context: Context) -> int:
    """Windows in a batch: as many as were asked for, unless that is little but the same music many times over."""
    most = max(SMALL_BATCH, MOST_TIMES * dataset.windows_in_epoch)
    if asked > most:
        context.say(
            f"note: -b {asked} is more than the {dataset.windows_in_epoch} windows of music there are: taking {most}"
        )
    return min(asked, most)


def _report_copying(ready: cache.Cache, here: run_folder.Run, context: Context) -> None:
    """Says how much the model copies. Whatever happens to that is a note: all that was asked for is there by now."""
    try:
        from music_composer.pipelines.audio import copy_check

        state = checkpoint.read_state(here.checkpoint)
        split = split_of(ready, here, lambda line: None)
        copied = copy_check.verdict(ready, here, split, state.seed if state else 0)
    except Exception as error:
        why = str(error) if isinstance(error, MusicComposerError) else repr(error)[:300]
        copied = f"note: the copying report could not be made: {why}"
    if copied:
        context.say(copied)


def compose(request: ComposeRequest, context: Context = SILENT) -> list[Path]:
    """Prepares, trains and continues music. Cut off anywhere, the same call goes on from there."""
    folders, prompts, blend = request.folders, request.prompts, request.blend
    prompt_selection.require_prompts(prompts, blend, request.sampling)
    generate.require_outputs(request.sampling, [*prompts, *blend])
    with locked(folders.model, folders.wait, context.say), locked(folders.traindata, folders.wait, context.say):
        here, trained_on = _trained(request.train, True, context)
        paths = generate.generate(request.generate, context)
        checkpoint.mark_generated(here.checkpoint)
        _report_copying(trained_on, here, context)
    return paths


def _new_run(home: Path, ready: cache.Cache, model: ModelOptions, options: TrainOptions) -> run_folder.Run:
    """A run that has not begun: its folder is not there yet."""
    window_steps = options.least_window_steps
    if model.head != MEMORY:
        window_steps = windows.window_steps_for(ready.frames, model.stack, options)
    return run_folder.Run(
        beginning.new_place(home), ready.options, model, ready.channels, window_steps, options.held_out
    )


def _train_job(
    model: Any,
    dataset: windows.Dataset,
    here: run_folder.Run,
    options: TrainOptions,
    state: checkpoint.TrainState,
    context: Context,
) -> None:
    if dataset.joined:
        context.say(f"note: {dataset.joined} recordings are shorter than a training window; they were joined")
    size = _batch_size(dataset, options.batch_size, context)
    loader = WindowLoader(dataset, size, options.chunk_steps, options.stretch)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    context.say(
        f"training {here.model.layers} x {here.model.neurons} LSTM with {here.model.network_head} head, "
        f"{weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{loader.batches} steps, seed {state.seed}, {devices.describe()}"
    )
    run_job(model, loader, here, options, state, context)
