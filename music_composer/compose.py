"""The whole journey, leg by leg: the only file that knows the order.

prepare -> train -> generate. Each leg takes plain options, says what it does, and returns what it made.
Keras is imported inside the legs that need it.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from music_composer.data import batches, cache
from music_composer.data.folder import recordings_in
from music_composer.errors import MusicComposerError, OptionError, RecordingError, RunFolderError
from music_composer.files import write_json
from music_composer.options import FolderOptions, FrameOptions, GenerateOptions, ModelOptions, TrainOptions
from music_composer.training import checkpoint, devices, run
from music_composer.training.progress import duration, progress_bar, say, with_estimate

if TYPE_CHECKING:
    from music_composer.audio.models.continuation import Continuation
    from music_composer.audio.output import Written
    from music_composer.audio.prompts import Excerpt, Prompt

Say = Callable[[str], None]
KEPT_PROMPTS, KEPT_PROMPT_SECONDS = 8, 10.0  # excerpts in the run folder


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
    then_generate: bool = False,
    say: Say = say,
) -> run.Run:
    """Prepares, then trains in the run folder: on from what is there, unless `fresh`.

    model_options: the fields of ModelOptions that were asked for. A run folder made with others is an OptionError.
    """
    old = None if fresh or not run.exists(folders.model) else run.read_run(folders.model)
    if old:
        _check_fits(old, model_options)
    ready = prepare(folders, old.frame if old else FrameOptions(), say)
    here = old or run.Run(folders.model, ready.options, ModelOptions(**model_options), ready.channels)
    before = checkpoint.read_state(here.checkpoint) if old else None
    state = _next_job(before, options, ready, then_generate, say)
    if state.job_done:
        return here
    devices.load_keras()
    if not old:
        run.begin(here)
        _keep_prompts(ready, here, state.seed)
    _train_job(ready, here, options, state, say)
    return here


def generate(
    folders: FolderOptions,
    options: GenerateOptions,
    prompts: Sequence[Path] = (),
    model_options: Mapping[str, Any] = MappingProxyType({}),
    say: Say = say,
) -> list[Path]:
    """Writes continuations with the model of the run folder; returns the WAVs."""
    here = run.read_run(folders.model)
    _check_fits(here, model_options)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    paths = [Path(f"{options.name}-{i}.wav") for i in range(options.count)]
    excerpts = _excerpts(folders, here, options, prompts, seed)
    devices.load_keras()
    from music_composer.audio.output import write_continuations

    model = build_model(here, flow_steps=options.flow_steps, blank=True)
    run.load_weights(model, here)
    say(f"writing {options.count} continuations of {options.seconds:g} s, {paths[0]} to {paths[-1].name}, seed {seed}")
    started, total = time.monotonic(), options.count * options.seconds
    with progress_bar("generating") as bar:
        advance = with_estimate(bar, f"writing {duration(total)} of music")
        for first in range(0, options.count, options.batch):
            numbers = range(first, min(first + options.batch, options.count))

            def written_of_each(seconds: float, numbers: range = numbers) -> None:
                advance(numbers[0] * options.seconds + len(numbers) * seconds, total, "")

            heard = [_heard(excerpts[i], here) for i in numbers]
            batch_paths = [paths[i] for i in numbers]
            written = write_continuations(
                model, here.frame, heard, batch_paths, numbers, options, seed, written_of_each
            )
            for number, file in zip(numbers, written, strict=True):
                _describe(file, number, here, options, seed)
    spent = time.monotonic() - started
    say(f"{options.count} continuations in {duration(spent)}: {total / spent:.1f} x real time")
    return paths


def compose(
    folders: FolderOptions,
    model_options: Mapping[str, Any],
    training: TrainOptions,
    generating: GenerateOptions,
    prompts: Sequence[Path] = (),
    fresh: bool = False,
    say: Say = say,
) -> list[Path]:
    """The whole journey. Cut off anywhere, the same call goes on from there."""
    for prompt in prompts:
        _require_file(prompt)
    here = train(folders, model_options, training, fresh, then_generate=True, say=say)
    paths = generate(folders, generating, prompts, say=say)
    checkpoint.mark_generated(here.checkpoint)
    return paths


def describe(folders: FolderOptions) -> list[str]:
    """What there is in the dataset, the cache and the run folder, a line each."""
    lines = []
    try:
        lines.append(f"dataset  {folders.datasets}: {len(recordings_in(folders.datasets, make=False))} recordings")
    except RecordingError as error:
        lines.append(f"dataset  {error}")
    ready = cache.open_cache(folders.datasets, folders.traindata)
    if ready:
        kind = "stereo" if ready.channels == 2 else "mono"
        lines.append(f"cache    {folders.traindata}: {len(ready.songs)} songs, {duration(ready.seconds)}, {kind}")
    else:
        lines.append(f"cache    {folders.traindata}: nothing prepared")
    if not run.exists(folders.model):
        return [*lines, f"model    {folders.model}: nothing trained"]
    here = run.read_run(folders.model)
    state = checkpoint.read_state(here.checkpoint)
    lines.append(f"model    {folders.model}: {here.model.layers} x {here.model.neurons} LSTM, {here.model.head} head")
    if state:
        lines.append(
            f"training {state.epoch} epochs done, best loss {state.best_loss:.4f} in epoch {state.best_epoch + 1}"
        )
    return lines


def build_model(here: run.Run, **ways: Any) -> Continuation:
    """The network of a run folder, without its weights. ways: `flow_draws`, `flow_steps`, `blank` of the model."""
    from music_composer.audio.models.continuation import Continuation

    model = Continuation(here.model, here.size, **ways)
    model.build()
    return model


def _train_job(
    ready: cache.Cache, here: run.Run, options: TrainOptions, state: checkpoint.TrainState, say: Say
) -> None:
    from music_composer import plots
    from music_composer.training import loop

    songs = [_fit_channels(cache.load_frames(ready, song), here) for song in ready.songs]
    dataset = batches.dataset_of(songs, options.window_steps, here.model.stack, options.held_out, state.seed)
    if dataset.joined:
        say(f"note: {dataset.joined} recordings are shorter than a training window; they were joined")
    model = _trainable(here, songs, options, state, say)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    say(
        f"training {here.model.layers} x {here.model.neurons} LSTM with {here.model.head} head, "
        f"{weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{dataset.batches_in_epoch(options.batch_size)} steps, seed {state.seed}, {devices.describe()}"
    )

    def after_epoch(state: checkpoint.TrainState) -> None:
        if state.best_epoch == state.epoch - 1:
            run.save_weights(model, here)
        run.write_history(here.folder, state.history)
        plots.plot_loss(state.history, here.folder / run.LOSS_PLOT)

    try:
        with progress_bar("training") as advance:
            loop.train(model, dataset, options, state, here.checkpoint, after_epoch, say, advance)
    except loop.Interrupted:
        done = f"{state.epoch} epochs and {state.batch} steps"
        raise MusicComposerError(f"stopped after {done}, all saved: the same command goes on from there") from None
    except FloatingPointError as error:
        raise MusicComposerError(
            f"{error}: the weights before that epoch are safe in {here.weights}; "
            "are there recordings with damaged samples among the music?"
        ) from error


def _trainable(
    here: run.Run, songs: Sequence[np.ndarray], options: TrainOptions, state: checkpoint.TrainState, say: Say
) -> Continuation:
    """The model, compiled, with the weights it is to go on from."""
    import keras

    from music_composer.audio.encoding import fit_encoding
    from music_composer.training import loop

    keras.utils.set_random_seed(state.seed % 2**31)
    model = build_model(here, flow_draws=options.flow_draws)
    loop.compile_model(model, options)
    if here.checkpoint.exists():
        checkpoint.load_checkpoint(here.checkpoint, model)
    elif here.weights.exists():
        say(f"{here.checkpoint} is not there: going on from {run.WEIGHTS} without the optimiser's memory")
        run.load_weights(model, here)
    else:
        model.set_encoding(fit_encoding(songs, here.model.stack, here.model.components))
    return model


def _next_job(
    state: checkpoint.TrainState | None, options: TrainOptions, ready: cache.Cache, then_generate: bool, say: Say
) -> checkpoint.TrainState:
    """Goes on with a job that was cut off, or begins a new one of `-e` epochs."""
    if state is None:
        state = checkpoint.TrainState(secrets.randbelow(2**31) if options.seed is None else options.seed)
    elif state.music != ready.digest:
        say("the recordings have changed since the last training: it goes on with those that are there now")
        state.batch, state.loss_sum = 0, 0.0
    elif not state.job_done and state.job_epochs == options.epochs:
        say(f"going on in epoch {state.epoch - state.job_first + 1} of {state.job_epochs}")
        return state
    elif state.job_done and state.job_owes_music and then_generate:
        say("the training of this job is finished, its music is not: going on with that")
        return state
    else:
        say(f"going on from {state.epoch} trained epochs with {options.epochs} more")
    state.music, state.job_owes_music = ready.digest, then_generate
    state.job_first, state.job_epochs = state.epoch, options.epochs
    return state


def _check_fits(here: run.Run, asked: Mapping[str, Any]) -> None:
    """Options that were typed must be those of the run folder."""
    have = dataclasses.asdict(here.model)
    if any(have[name] != value for name, value in asked.items()):
        raise OptionError(
            f"{here.folder} was made with -n {here.model.neurons} -l {here.model.layers} --head {here.model.head}: "
            "leave these options out to go on with it, give another folder with -m, or start anew with --fresh"
        )


def _fit_channels(frames: np.ndarray, here: run.Run) -> np.ndarray:
    """A song with the model's channels: a silent side where it has none, or its side left out."""
    from music_composer.audio.frames import floor

    missing = here.channels - frames.shape[1]
    if missing <= 0:
        return frames[:, : here.channels]
    return np.pad(frames, ((0, 0), (0, missing), (0, 0)), constant_values=np.float16(np.log(floor(here.frame))))


def _excerpts(
    folders: FolderOptions, here: run.Run, options: GenerateOptions, prompts: Sequence[Path], seed: int
) -> list[Excerpt]:
    """What each sample is to continue: the given recordings in turn, or random places of the dataset.

    Where the dataset is not at hand, the excerpts that were kept in the run folder stand in for it.
    """
    from music_composer.audio.prompts import random_excerpts, whole_recording

    for prompt in prompts:
        _require_file(prompt)
    ready = None if prompts else cache.open_cache(folders.datasets, folders.traindata, here.frame)
    if ready:
        return random_excerpts(_places(ready), options.count, options.prompt_seconds, seed)
    files = list(prompts) or sorted(here.prompts.glob("*.flac"))
    if not files:
        raise RunFolderError(f"there is no dataset and no {here.prompts} to take prompts from: give one with --prompt")
    return [whole_recording(files[i % len(files)], options.prompt_seconds) for i in range(options.count)]


def _places(ready: cache.Cache) -> list[Excerpt]:
    """Where there is music in the dataset's recordings."""
    from music_composer.audio.prompts import Excerpt

    rate = ready.options.frames_per_second
    return [
        Excerpt(ready.datasets / song.source, song.start / rate, (song.stop - song.start) / rate)
        for song in ready.songs
    ]


def _keep_prompts(ready: cache.Cache, here: run.Run, seed: int) -> None:
    """Copies a few excerpts into the run folder, so that `generate` needs nothing else."""
    from music_composer.audio.prompts import random_excerpts
    from music_composer.audio.wav import read_excerpt, write_flac

    for i, excerpt in enumerate(random_excerpts(_places(ready), KEPT_PROMPTS, KEPT_PROMPT_SECONDS, seed)):
        sound = read_excerpt(excerpt.path, here.frame.rate, excerpt.start, excerpt.seconds)
        write_flac(here.prompts / f"prompt-{i}.flac", sound)


def _heard(excerpt: Excerpt, here: run.Run) -> Prompt:
    from music_composer.audio.prompts import read_prompt

    return read_prompt(excerpt, here.channels, here.model.stack, here.frame)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise OptionError(f"--prompt {path}: there is no such file")


def _describe(file: Written, number: int, here: run.Run, options: GenerateOptions, seed: int) -> None:
    """The JSON and the spectrogram beside a WAV."""
    from music_composer import plots

    plain = {
        "seed": seed,
        "number": number,
        "prompt": {"file": str(file.prompt.source), "until_second": round(file.prompt.cut, 3)},
        "new_music_from_second": round(file.cut, 3),
        "clipped_samples": file.clipped,
        "model": str(here.folder),
        "model_options": dataclasses.asdict(here.model),
        "options": dataclasses.asdict(options),
        "versions": run.versions(),
    }
    write_json(file.path.with_suffix(".json"), plain)
    plots.plot_spectrogram(file.path, file.path.with_suffix(".png"), here.frame, cut=file.cut)
