"""What there is in the dataset, the cache and the run folder, in words."""

from __future__ import annotations

from music_composer.data import cache
from music_composer.data.folder import recordings_in
from music_composer.errors import RecordingError
from music_composer.options import FolderOptions
from music_composer.training import checkpoint, run
from music_composer.training.progress import duration


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
