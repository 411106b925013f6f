"""What there is in the dataset, the cache and the run folder, as a record and in words."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

from music_composer.audio.continuation import run_folder
from music_composer.audio.continuation.choice_file import read_choice, summary
from music_composer.audio.dataset import cache
from music_composer.audio.options import AUTO, MEMORY
from music_composer.data.folder import recordings_in, scores_in
from music_composer.data.options import FolderOptions
from music_composer.errors import RecordingError, ScoreError
from music_composer.progress import duration
from music_composer.symbolic.composition import run_folder as symbolic_run
from music_composer.symbolic.dataset import cache as rolls
from music_composer.symbolic.options import PER_QUARTER
from music_composer.training import checkpoint
from music_composer.training.beginning import place_of
from music_composer.training.run_folder import RunFolder


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """files: that can be learned from, by their names. problem: why there are none."""

    folder: Path
    files: int = 0
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class CacheInfo:
    """songs: 0 where nothing is prepared. seconds, channels: of recordings."""

    folder: Path
    songs: int = 0
    seconds: float = 0.0
    channels: int = 0


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What a run folder holds. words: what it is; empty where nothing is trained.

    head: of a model of recordings. network: its network, or the model of notes. epochs: done. best_loss: held out, None
    where there is none yet. choice: which head plays and why, in words, where the run folder has two.
    """

    folder: Path
    words: str = ""
    head: str = ""
    network: str = ""
    layers: int = 0
    neurons: int = 0
    epochs: int | None = None
    best_loss: float | None = None
    best_epoch: int = 0
    choice: str = ""


@dataclasses.dataclass(frozen=True)
class Info:
    """The state of three folders."""

    dataset: DatasetInfo
    cache: CacheInfo
    model: ModelInfo


def describe(folders: FolderOptions) -> Info:
    """Returns what there is for recordings."""
    try:
        dataset = DatasetInfo(folders.datasets, len(recordings_in(folders.datasets, make=False)))
    except RecordingError as error:
        dataset = DatasetInfo(folders.datasets, problem=str(error))
    ready = cache.open_cache(folders.datasets, folders.traindata)
    prepared = CacheInfo(folders.traindata)
    if ready:
        prepared = CacheInfo(folders.traindata, len(ready.songs), ready.seconds, ready.channels)
    return Info(dataset, prepared, _model(folders.model))


def lines_of(info: Info) -> list[str]:
    """Returns what `describe` found in words, a line each."""
    prepared, kind = info.cache, "stereo" if info.cache.channels == 2 else "mono"
    held = f"{prepared.songs} songs, {duration(prepared.seconds)}, {kind}" if prepared.songs else "nothing prepared"
    return _lines(info, "recordings", held)


def describe_midi(folders: FolderOptions) -> Info:
    """Returns what there is for notes."""
    try:
        dataset = DatasetInfo(folders.datasets, len(scores_in(folders.datasets, make=False)))
    except ScoreError as error:
        dataset = DatasetInfo(folders.datasets, problem=str(error))
    run = symbolic_run.read_run(place_of(folders.model)) if run_folder.exists(folders.model) else None
    ready = rolls.read_index(folders.traindata, run.per_quarter if run else PER_QUARTER)
    prepared = CacheInfo(folders.traindata, len(ready or ()))
    if run is None:
        return Info(dataset, prepared, ModelInfo(folders.model))
    metre, note = run.metre
    words = f"{run.name}, {run.model.neurons} neurons; music in {metre}/{note}, {run.tempo:.0f} quarter notes a minute"
    model = ModelInfo(folders.model, words, network=run.name, neurons=run.model.neurons)
    return Info(dataset, prepared, _with_training(model, run))


def midi_lines_of(info: Info) -> list[str]:
    """Returns what `describe_midi` found in words, a line each."""
    return _lines(info, "MIDI files", f"{info.cache.songs} songs" if info.cache.songs else "nothing prepared")


def _model(folder: Path) -> ModelInfo:
    if not run_folder.exists(folder):
        return ModelInfo(folder)
    run = run_folder.read_run(place_of(folder))
    if run.model.head == MEMORY:
        return ModelInfo(folder, "plays from memory", MEMORY)
    network = f"{run.model.layers} x {run.model.neurons} LSTM, {run.model.network_head} head"
    both = run.model.head == AUTO
    model = ModelInfo(
        folder,
        f"{network}, and a memory" if both else network,
        run.model.head,
        run.model.network_head,
        run.model.layers,
        run.model.neurons,
        choice=summary(read_choice(run.choice)) if both else "",
    )
    return _with_training(model, run)


def _with_training(model: ModelInfo, run: RunFolder) -> ModelInfo:
    state = checkpoint.read_state(run.checkpoint)
    if state is None:
        return model
    best = state.best_loss if math.isfinite(state.best_loss) else None
    return dataclasses.replace(model, epochs=state.epoch, best_loss=best, best_epoch=state.best_epoch + 1)


def _lines(info: Info, unit: str, held: str) -> list[str]:
    dataset, model = info.dataset, info.model
    lines = [
        f"dataset  {dataset.problem or f'{dataset.folder}: {dataset.files} {unit}'}",
        f"cache    {info.cache.folder}: {held}",
        f"model    {model.folder}: {model.words or 'nothing trained'}",
    ]
    if model.epochs is not None:
        best = "" if model.best_loss is None else f", best loss {model.best_loss:.4f} in epoch {model.best_epoch}"
        lines.append(f"training {model.epochs} epochs done{best}")
    return [*lines, *([f"choice   {model.choice}"] if model.choice else [])]
