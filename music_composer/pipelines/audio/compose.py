"""Training on recordings: prepare, train, and both followed by continuations.

Each job takes a request and a context. Keras is imported inside the functions that need it.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.continuation import data_parallel, prompt_selection, run_folder
from music_composer.audio.continuation.choice_file import is_pending
from music_composer.audio.continuation.epoch_samples import sampler
from music_composer.audio.continuation.networks import trainable_network
from music_composer.audio.continuation.registry import check_fits
from music_composer.audio.dataset import cache, windows
from music_composer.audio.dataset.batches import WindowLoader
from music_composer.audio.models import sizing
from music_composer.audio.options import AUTO, MEMORY, FrameOptions, ModelOptions, network_of
from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.data.split import Split
from music_composer.data.split_file import write_split
from music_composer.errors import MusicComposerError
from music_composer.files.locks import locked
from music_composer.pipelines.audio import build_memory, generate, head_selection
from music_composer.pipelines.audio.requests import ComposeRequest, PrepareRequest, TrainRequest
from music_composer.pipelines.audio.validation import dataset_for, split_of
from music_composer.progress import duration
from music_composer.training import beginning, checkpoint, devices
from music_composer.training.job import next_job, run_job
from music_composer.training.options import TrainOptions

SMALL_BATCH, MAX_TIMES = 32, 4  # a larger batch holds each window at most that many times


def prepare(request: PrepareRequest, context: Context = SILENT) -> cache.Cache:
    """Brings the cache of frames up to date with the recordings."""
    return prepare_cache(request.folders, FrameOptions(), context)


def prepare_cache(folders: FolderOptions, frame: FrameOptions, context: Context = SILENT) -> cache.Cache:
    """Does the same with the frame options of a run folder."""
    with locked(folders.traindata, folders.wait, context.say):
        return _prepared(folders, frame, context)


def _prepared(folders: FolderOptions, frame: FrameOptions, context: Context) -> cache.Cache:
    """Does the same while the cache is already locked."""
    started = time.monotonic()
    task = f"preparing the recordings of {folders.datasets}"
    with context.stage("preparing", "bytes", task) as advance:
        ready, report = cache.prepare(
            folders.datasets, folders.traindata, frame, context.say, advance, context.executor
        )
    for remark in report.remarks:
        context.say(f"note: {remark}")
    context.say(
        f"{len(ready.songs)} recordings, {duration(ready.seconds)} of music: {report.done} prepared, "
        f"{report.kept} already there, {report.removed} removed ({duration(time.monotonic() - started)})"
    )
    return ready


def train(request: TrainRequest, context: Context = SILENT) -> run_folder.Run:
    """Prepares, then trains in the run folder, which continues unless the request is for a fresh start.

    Neurons, layers and epochs that were not requested follow from the amount of music. Raises OptionError for a run
    folder with another network than requested.
    """
    folders = request.folders
    # Training reads the cache all the time, so no other process may remove songs meanwhile. All commands lock the run
    # folder first and the cache second: none can wait for another that waits for it.
    with locked(folders.model, folders.wait, context.say), locked(folders.traindata, folders.wait, context.say):
        run, trained_on = _trained(request, False, context)
        _report_copying(trained_on, run, context)
    return run


def _trained(request: TrainRequest, then_generate: bool, context: Context) -> tuple[run_folder.Run, cache.Cache]:
    """Returns the run folder after its training is saved, and the cache. Both folders must be locked."""
    folders, options, requested = request.folders, request.training, request.network.asked
    old = run_folder.going_on(folders.model, request.fresh)
    # Refused before the cache is prepared, which may take minutes.
    if old:
        check_fits(old, requested)
    head = old.model.head if old else requested.get("head", ModelOptions.head)
    if head != MEMORY:
        devices.require_backend()
    ready = _prepared(folders, old.frame if old else FrameOptions(), context)
    fit = sizing.fit_to(ready.seconds / 60)
    network = old.model if old else network_of({**fit.network, **requested})
    run = old or _new_run(folders.model, ready, network, options)
    if network.head == MEMORY:
        build_memory.remember_run(run, ready, not old, options.seed, context)
        return run_folder.read_run(folders.model), ready
    before = checkpoint.read_state(run.checkpoint) if old else None
    if before and is_pending(run, before, ready.digest):
        context.say("the training of this job is finished, but no head is chosen yet: choosing one now")
        split = split_of(ready, run, context.say)
        build_memory.keep_memory(run, build_memory.remember_music(run, ready, split, context))
        return _chosen(run, ready, split, before, context), ready
    # The size of an existing network is fixed; only epochs may still be chosen.
    chosen = {} if old else {name: value for name, value in fit.network.items() if name not in requested}
    # A job that was interrupted keeps the number of epochs with which it began.
    if options.epochs is None and (before is None or before.job_done):
        chosen["epochs"] = fit.epochs
    state = next_job(before, options, ready.digest, then_generate, context.say, fit.epochs)
    if state.job_done:
        return run_folder.read_run(folders.model), ready
    if chosen:
        context.say(sizing.summary(ready.seconds / 60, chosen))
    return _train_network(run, ready, request, state, not old, context), ready


def _train_network(
    run: run_folder.Run,
    ready: cache.Cache,
    request: TrainRequest,
    state: checkpoint.TrainState,
    new: bool,
    context: Context,
) -> run_folder.Run:
    """Trains the network to the end of its job. With `--head auto` it also builds the memory and chooses a head."""
    options = request.training
    split = split_of(ready, run, context.say, new=new)
    dataset = dataset_for(ready, run, split)
    drawn = prompt_selection.draw_prompts(ready, run, state.seed, context.say) if new else []
    ranks = data_parallel.rank_count(context)
    devices.load_keras(devices.leave_gpus if ranks else lambda: None)
    model = trainable_network(run, dataset.training, options, state, not new, context.say)
    both = run.model.head == AUTO
    index = build_memory.remember_music(run, ready, split, context) if both else None

    def fill(folder: Path) -> None:
        place = dataclasses.replace(run, folder=folder)
        if new:
            prompt_selection.keep_prompts(place, drawn)
            checkpoint.save_checkpoint(place.checkpoint, model, state)
        write_split(folder, split)
        if index:
            build_memory.keep_memory(place, index)

    # The run folder begins only now, after everything that can fail: a refused job leaves no folder behind.
    if new:
        run_folder.begin(run, fill)
    else:
        fill(run.folder)
    state = _train_job(model, dataset, run, ready, request, state, ranks, context)
    trained = run_folder.read_run(beginning.home_of(run.folder))
    if both:
        return _chosen(trained, ready, split, state, context)
    build_memory.forget_unnamed(trained)
    return trained


def _chosen(
    run: run_folder.Run, ready: cache.Cache, split: Split, state: checkpoint.TrainState, context: Context
) -> run_folder.Run:
    """Chooses the head of a run folder, and returns it."""
    build_memory.forget_others(run)
    head_selection.choose(ready, run, split, state, context)
    return run


def _batch_size(dataset: windows.Dataset, requested: int, context: Context) -> int:
    """Returns the windows in a batch: as requested, unless the same music would fill it many times over."""
    most = max(SMALL_BATCH, MAX_TIMES * dataset.windows_in_epoch)
    if requested > most:
        context.say(
            f"note: -b {requested} is more than the {dataset.windows_in_epoch} windows of music there are: "
            f"taking {most}"
        )
    return min(requested, most)


def _report_copying(ready: cache.Cache, run: run_folder.Run, context: Context) -> None:
    """Reports how much the model copies. A failure becomes a note, since the training itself is complete."""
    try:
        from music_composer.pipelines.audio import copy_check

        state = checkpoint.read_state(run.checkpoint)
        split = split_of(ready, run, lambda line: None)
        copied = copy_check.verdict(ready, run, split, state.seed if state else 0)
    except Exception as error:
        why = str(error) if isinstance(error, MusicComposerError) else repr(error)[:300]
        copied = f"note: the copying report could not be made: {why}"
    if copied:
        context.say(copied)


def compose(request: ComposeRequest, context: Context = SILENT) -> list[Path]:
    """Prepares, trains and continues music. After an interruption the same call resumes."""
    folders, prompts, blend = request.folders, request.prompts, request.blend
    prompt_selection.require_prompts(prompts, blend, request.sampling)
    generate.require_outputs(request.sampling, [*prompts, *blend])
    with locked(folders.model, folders.wait, context.say), locked(folders.traindata, folders.wait, context.say):
        run, trained_on = _trained(request.train, True, context)
        paths = generate.generate(request.generate, context)
        # Only now is the job complete: an interrupted call continues the music without training again.
        checkpoint.mark_generated(run.checkpoint)
        _report_copying(trained_on, run, context)
    return paths


def _new_run(home: Path, ready: cache.Cache, model: ModelOptions, options: TrainOptions) -> run_folder.Run:
    """Returns a run whose folder does not exist yet."""
    # A memory has no training windows, but the units of the split are as long as a window.
    window_steps = options.least_window_steps
    if model.head != MEMORY:
        window_steps = windows.window_steps_for(ready.frames, model.frames_per_step, options)
    return run_folder.Run(
        beginning.new_place(home), ready.options, model, ready.channels, window_steps, options.held_out
    )


def _train_job(
    model: Any,
    dataset: windows.Dataset,
    run: run_folder.Run,
    ready: cache.Cache,
    request: TrainRequest,
    state: checkpoint.TrainState,
    ranks: int,
    context: Context,
) -> checkpoint.TrainState:
    """Trains to the end of the job, and returns where the training stands then."""
    options = request.training
    if dataset.joined:
        context.say(f"note: {dataset.joined} recordings are shorter than a training window; they were joined")
    size = _batch_size(dataset, options.batch_size, context)
    loader = WindowLoader(dataset, size, options.chunk_steps, options.time_stretch)
    count = min(ranks, size)
    where = f"{count} processes of the cluster" if count else devices.describe()
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    context.say(
        f"training {run.model.layers} x {run.model.neurons} LSTM with {run.model.network_head} head, "
        f"{weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{loader.batches} steps, seed {state.seed}, {where}"
    )
    if count:
        checkpoint.save_checkpoint(run.checkpoint, model, state)  # by which they begin
        return data_parallel.train_on_ranks(run, ready, loader, options, request.sample_every, count, context)
    then = sampler(model, run, ready, request.sample_every, context)
    run_job(model, loader, run, options, state, context, then)
    return state
