"""The whole journey, leg by leg: the only file that knows the order.

prepare -> train -> generate. Each leg takes plain options, says what it does, and returns what it made.
Keras is imported inside the legs that need it.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from music_composer.data import batches, cache
from music_composer.errors import MusicComposerError, OptionError, RecordingError, RunFolderError
from music_composer.files import write_json
from music_composer.options import FolderOptions, FrameOptions, GenerateOptions, ModelOptions, TrainOptions
from music_composer.training import checkpoint, devices, run
from music_composer.training.progress import duration, progress_bar, say

if TYPE_CHECKING:
    from music_composer.audio.models.continuation import Continuation
    from music_composer.audio.output import Written
    from music_composer.audio.prompts import Excerpt, Prompt

Say = Callable[[str], None]
MOST_STEPS_FOR_ENCODING = 200_000  # 2 h of music: plenty for the covariance of a step
ENCODING_BLOCK = 4096  # steps summed at a time
KEPT_PROMPTS = 8  # excerpts in the run folder


def prepare(folders: FolderOptions, frame: FrameOptions = FrameOptions(), say: Say = say) -> cache.Cache:
    """Recordings to a cache of frames that is up to date."""
    started = time.monotonic()
    with progress_bar("preparing") as advance:
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
    ready: cache.Cache,
    model_options: ModelOptions,
    options: TrainOptions,
    fresh: bool = False,
    then_generate: bool = False,
    say: Say = say,
) -> run.Run:
    """Trains from the cache into the run folder: on from what is there, unless `fresh`."""
    devices.load_keras()
    from music_composer.training import loop

    if fresh or not run.exists(folders.model):
        here, state = _new_run(folders, ready, model_options, options), None
    else:
        here = run.read_run(folders.model)
        state = checkpoint.read_state(here.folder / run.CHECKPOINT)
    state = _next_job(state, options, ready, then_generate, say)
    if state.job_done:
        return here
    songs = [_channels_of(cache.load_frames(ready, song), here, ready) for song in ready.songs]
    dataset = batches.dataset_of(songs, options.window_steps, here.model.stack, options.held_out, state.seed)
    if dataset.joined:
        say(f"note: {dataset.joined} recordings are shorter than a training window; they were joined")
    model = _trainable(here, songs, options, state, say)
    say(_what_will_be_done(here, dataset, options, state, model))

    def after_epoch(state: checkpoint.TrainState) -> None:
        if state.best_epoch == state.epoch - 1:
            run.save_weights(model, here)
        run.write_history(here.folder, state.history)

    try:
        with progress_bar("training") as advance:
            loop.train(model, dataset, options, state, here.folder / run.CHECKPOINT, after_epoch, say, advance)
    except loop.Interrupted:
        raise MusicComposerError(
            f"stopped after epoch {state.epoch} and {state.batch} steps, all saved: the same command goes on from there"
        ) from None
    from music_composer import plots

    plots.plot_loss(state.history, here.folder / run.LOSS_PLOT)
    return here


def generate(
    folders: FolderOptions,
    options: GenerateOptions,
    prompts: Sequence[Path] = (),
    say: Say = say,
) -> list[Path]:
    """Writes continuations with the model of the run folder; returns the WAVs."""
    here = run.read_run(folders.model)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    devices.load_keras()
    from music_composer.audio.output import write_continuations

    model = build_model(here, flow_steps=options.flow_steps)
    run.load_weights(model, here)
    excerpts = _excerpts(folders, here, options, prompts, seed, say)
    paths = [Path(f"{options.name}-{i}.wav") for i in range(options.count)]
    say(f"writing {options.count} continuations of {options.seconds:g} s, {paths[0]} to {paths[-1].name}, seed {seed}")
    started = time.monotonic()
    with progress_bar("generating") as advance:
        for first in range(0, options.count, options.batch):
            numbers = range(first, min(first + options.batch, options.count))
            heard = [_heard(excerpts[i], here) for i in numbers]
            written = write_continuations(
                model,
                here.frame,
                heard,
                [paths[i] for i in numbers],
                list(numbers),
                options,
                seed,
                lambda seconds, n=numbers: advance(  # type: ignore[misc]
                    n.start * options.seconds + len(n) * seconds, options.count * options.seconds, ""
                ),
            )
            _describe_all(written, list(numbers), here, options, seed)
    spent = time.monotonic() - started
    say(f"{options.count} files in {duration(spent)}, {options.count * options.seconds / spent:.1f} x real time")
    return paths


def build_model(here: run.Run, flow_draws: int = 4, flow_steps: int = 10) -> Continuation:
    """The network of a run folder, without its weights."""
    from music_composer.audio.models.continuation import Continuation

    model = Continuation(here.model, here.size, flow_draws=flow_draws, flow_steps=flow_steps)
    model.build()
    return model


def fit_encoding(songs: Sequence[np.ndarray], stack: int, components: int, seed: int) -> Any:
    """Principal components of the steps of all songs, or of evenly chosen blocks where there is very much music."""
    from music_composer.audio import encoding

    blocks = [
        (song, start)
        for song in songs
        for start in range(0, len(song) - stack + 1, ENCODING_BLOCK * stack)
    ]
    every = max(1, len(blocks) * ENCODING_BLOCK // MOST_STEPS_FOR_ENCODING)
    chosen = blocks[seed % every :: every]
    sums = (
        encoding.moments_of(batches.to_steps(song[start : start + ENCODING_BLOCK * stack], stack))
        for song, start in chosen
    )
    return encoding.principal_components(encoding.merge(sums), components)


def _new_run(
    folders: FolderOptions, ready: cache.Cache, model_options: ModelOptions, options: TrainOptions
) -> run.Run:
    """An empty run folder; what an earlier run left in it goes."""
    here = run.Run(folders.model, ready.options, model_options, ready.channels)
    for name in (run.OPTIONS, run.CHECKPOINT, run.WEIGHTS, run.HISTORY, run.LOSS_PLOT):
        (folders.model / name).unlink(missing_ok=True)
    run.write_run(here)
    return here


def _next_job(
    state: checkpoint.TrainState | None, options: TrainOptions, ready: cache.Cache, then_generate: bool, say: Say
) -> checkpoint.TrainState:
    """Goes on with a job that was cut off, or begins a new one of `-e` epochs."""
    if state is None:
        seed = secrets.randbelow(2**31) if options.seed is None else options.seed
        state = checkpoint.TrainState(seed)
    elif state.music != ready.digest:
        say("the recordings have changed since the last training: it goes on with those that are there now")
        state.batch, state.loss_sum = 0, 0.0
    elif not state.job_done and state.job_epochs == options.epochs:
        say(f"going on in epoch {state.epoch - state.job_first + 1} of {state.job_epochs}")
        return state
    elif state.job_done and state.job_music_owed and then_generate:
        say("the training of this job is finished, its music is not: going on with that")
        return state
    else:
        say(f"going on from {state.epoch} trained epochs with {options.epochs} more")
    state.music, state.job_music_owed = ready.digest, then_generate
    state.job_first, state.job_epochs = state.epoch, options.epochs
    return state


def _trainable(
    here: run.Run, songs: list[np.ndarray], options: TrainOptions, state: checkpoint.TrainState, say: Say
) -> Continuation:
    """The model, compiled, with the weights it is to go on from."""
    import keras

    from music_composer.training import loop

    keras.utils.set_random_seed(state.seed % 2**31)
    model = build_model(here, flow_draws=options.flow_draws)
    loop.compile_model(model, options)
    if (here.folder / run.CHECKPOINT).exists():
        checkpoint.load_checkpoint(here.folder / run.CHECKPOINT, model)
    elif here.weights.exists():
        say(f"{run.CHECKPOINT} is not there: going on from {run.WEIGHTS} without the optimiser's memory")
        run.load_weights(model, here)
    else:
        model.set_encoding(fit_encoding(songs, here.model.stack, here.model.components, state.seed))
    return model


def _channels_of(frames: np.ndarray, here: run.Run, ready: cache.Cache) -> np.ndarray:
    """A song with the model's channels: silence on a side that is missing, or the side left out."""
    from music_composer.audio.frames import floor

    have = frames.shape[1]
    if have == here.channels:
        return frames
    if have > here.channels:
        return frames[:, : here.channels]
    return np.pad(frames, ((0, 0), (0, 1), (0, 0)), constant_values=np.float16(np.log(floor(here.frame))))


def _what_will_be_done(
    here: run.Run, dataset: batches.Dataset, options: TrainOptions, state: checkpoint.TrainState, model: Any
) -> str:
    steps = dataset.batches_in_epoch(options.batch_size)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return (
        f"training {here.model.layers} x {here.model.neurons} LSTM, {here.model.head} head, {weights / 1e6:.1f} million "
        f"weights: {state.job_epochs} epochs of {steps} steps, seed {state.seed}, {devices.describe()}"
    )


def _excerpts(
    folders: FolderOptions, here: run.Run, options: GenerateOptions, prompts: Sequence[Path], seed: int, say: Say
) -> list[Excerpt]:
    """What each sample is to continue: the given recordings in turn, or random places of the dataset."""
    from music_composer.audio.prompts import Excerpt, whole_recording

    if prompts:
        return [whole_recording(prompts[i % len(prompts)], options.prompt_seconds) for i in range(options.count)]
    ready = cache.open_cache(folders.datasets, folders.traindata, here.frame)
    if ready is None:
        raise RunFolderError("no dataset to take prompts from: give one with --prompt")
    rate = here.frame.frames_per_second
    lengths = np.array([song.stop - song.start for song in ready.songs], float)
    chosen = []
    for i in range(options.count):
        rng = np.random.default_rng([seed, i, 2])
        song = ready.songs[int(rng.choice(len(lengths), p=lengths / lengths.sum()))]
        room = max(0.0, (song.stop - song.start) / rate - options.prompt_seconds)
        start = song.start / rate + float(rng.uniform(0, room))
        chosen.append(Excerpt(folders.datasets / song.source, start, options.prompt_seconds))
    return chosen


def _heard(excerpt: Excerpt, here: run.Run) -> Prompt:
    from music_composer.audio.prompts import read_prompt

    return read_prompt(excerpt, here.channels, here.model.stack, here.frame)


def _describe_all(
    written: Sequence[Written], numbers: Sequence[int], here: run.Run, options: GenerateOptions, seed: int
) -> None:
    """The JSON and the spectrogram beside each WAV."""
    from music_composer import plots

    for number, file in zip(numbers, written, strict=True):
        write_json(
            file.path.with_suffix(".json"),
            {
                "seed": seed,
                "number": number,
                "prompt": {"file": str(file.prompt.source), "until_second": round(file.prompt.cut, 3)},
                "new_music_from_second": round(file.cut, 3),
                "clipped_samples": file.clipped,
                "model": str(here.folder),
                "model_options": dataclasses.asdict(here.model),
                "options": dataclasses.asdict(options),
                "versions": run.versions(),
            },
        )
        plots.plot_spectrogram(file.path, file.path.with_suffix(".png"), here.frame, cut=file.cut)
