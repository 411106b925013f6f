"""The run folder of the audio model: what rebuilds the network and names its parts. See training/run_folder.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.options import require_within
from music_composer.records import from_plain, to_plain
from music_composer.training.beginning import (
    CHOICE,
    MEMORY,
    MEMORY_FILES,
    PROMPTS,
    begin_folder,
    home_of,
    place_of,
    require_ours,
    settle,
)
from music_composer.training.options import TrainOptions
from music_composer.training.run_folder import COMMAND, RunFolder, reading_options
from music_composer.training.run_folder import exists as exists
from music_composer.training.run_folder import versions as versions

LABEL: dict[str, Any] = {"magic": "music-composer model", "version": 4}


@dataclasses.dataclass(frozen=True)
class Run(RunFolder):
    """What a run folder of the audio model holds besides weights.

    window_steps: in a window; held_out: as in TrainOptions. What was held out stands in split.json.
    """

    frame: FrameOptions
    model: ModelOptions
    channels: int
    window_steps: int = TrainOptions.window_steps
    held_out: float = TrainOptions.held_out

    def __post_init__(self) -> None:
        require_within(self, 1, 2, "channels")
        require_within(self, 1, 1_000_000, "window_steps")
        require_within(self, 0.0, 0.9, "held_out")

    @property
    def size(self) -> int:
        """Numbers in one step of the model."""
        return self.model.frames_per_step * self.channels * self.frame.bands

    @property
    def prompts(self) -> Path:
        return self.folder / PROMPTS

    @property
    def memory(self) -> Path:
        return self.folder / MEMORY

    @property
    def choice(self) -> Path:
        return self.folder / CHOICE

    @property
    def memory_files(self) -> Path:
        return home_of(self.folder) / MEMORY_FILES


def going_on(home: Path, fresh: bool) -> Run | None:
    """The run that a training goes on with; None where it begins anew. Raises RunFolderError for what is not ours.

    Only who has locked the run folder may call this: a new training that has its first weights is put in its place.
    """
    require_ours(home, LABEL["magic"])
    settle(home)
    return None if fresh or not exists(home) else read_run(place_of(home))


def begin(run: Run, fill: Callable[[Path], None] = lambda folder: None) -> Run:
    """Begins a training in a run folder: nothing of it is there, or all. Returns the run where it is trained.

    fill: puts more into it.
    """
    plain = to_plain(run) | {"versions": versions()}
    del plain["folder"]
    return dataclasses.replace(run, folder=begin_folder(home_of(run.folder), LABEL, plain, fill))


def read_run(folder: Path) -> Run:
    """The trained model. Raises RunFolderError, with what to do, when there is none or it is not ours."""
    with reading_options(folder, COMMAND, LABEL) as plain:
        return from_plain(Run, {**_as_it_was(plain), "folder": folder})


def _as_it_was(plain: dict[str, Any]) -> dict[str, Any]:
    """What is left out was not there yet when the folder was written, whatever its default is now."""
    model = plain.get("model")
    return {**plain, "model": {"reach": 0, **model}} if isinstance(model, dict) else plain
