"""What there is in the dataset, the cache and the run folder, in words."""

from __future__ import annotations

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
    if not run_folder.exists(folders.model):
        return [*lines, f"model    {folders.model}: nothing trained"]
    run = run_folder.read_run(place_of(folders.model))
    if run.model.head == MEMORY:
        return [*lines, f"model    {folders.model}: plays from memory"]
    network = f"{run.model.layers} x {run.model.neurons} LSTM, {run.model.network_head} head"
    if run.model.head != AUTO:
        return [*lines, f"model    {folders.model}: {network}", *_training(run)]
    lines.append(f"model    {folders.model}: {network}, and a memory")
    return [*lines, *_training(run), f"choice   {summary(read_choice(run.choice))}"]


def describe_midi(folders: FolderOptions) -> list[str]:
    """The same of the symbolic backend."""
    lines = []
    try:
        lines.append(f"dataset  {folders.datasets}: {len(scores_in(folders.datasets, make=False))} MIDI files")
    except ScoreError as error:
        lines.append(f"dataset  {error}")
    run = symbolic_run.read_run(place_of(folders.model)) if run_folder.exists(folders.model) else None
    ready = rolls.read_index(folders.traindata, run.per_quarter if run else PER_QUARTER)
    lines.append(f"cache    {folders.traindata}: {f'{len(ready)} songs' if ready else 'nothing prepared'}")
    if run is None:
        return [*lines, f"model    {folders.model}: nothing trained"]
    metre, note = run.metre
    lines.append(
        f"model    {folders.model}: {run.name}, {run.model.neurons} neurons; music in {metre}/{note}, "
        f"{run.tempo:.0f} quarter notes a minute"
    )
    return [*lines, *_training(run)]


def _training(run: RunFolder) -> list[str]:
    state = checkpoint.read_state(run.checkpoint)
    if state is None:
        return []
    return [f"training {state.epoch} epochs done, best loss {state.best_loss:.4f} in epoch {state.best_epoch + 1}"]
