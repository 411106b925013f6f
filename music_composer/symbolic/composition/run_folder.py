"""The run folder of a symbolic model: what rebuilds the network, and the tempo and metre of its music."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from music_composer.errors import OptionError
from music_composer.options import WIDEST, require_one_of, require_within
from music_composer.records import from_plain, to_plain
from music_composer.symbolic.options import MODELS
from music_composer.training.beginning import begin_folder, home_of, place_of, require_ours, settle
from music_composer.training.run_folder import RunFolder, exists, reading_options, versions
from music_composer.values import PITCHES, Roll

LABEL: dict[str, Any] = {"magic": "music-composer symbolic model", "version": 4}
COMMAND = "music-composer midi"


@dataclasses.dataclass(frozen=True)
class SymbolicRun(RunFolder):
    """What a run folder holds besides weights.

    name: of the model; model: its options. per_quarter: steps in a quarter note. held_out: share of the pieces that is
    not trained on; split.json names them. tempo: median of the music, in quarter notes a minute. metre: the most
    frequent one, as beats in a bar and the note value of a beat.
    """

    command: ClassVar[str] = COMMAND
    name: str
    model: Any  # an instance of MODELS[name]
    per_quarter: int
    held_out: float
    tempo: float
    metre: tuple[int, int]

    def __post_init__(self) -> None:
        require_one_of("name", self.name, tuple(MODELS))
        require_within(self, 1, 96, "per_quarter")
        require_within(self, 0.0, 0.9, "held_out")
        require_within(self, 0.001, 1e9, "tempo")
        if not all(1 <= number <= WIDEST for number in self.metre):
            raise OptionError(f"metre is {self.metre}: give beats in a bar and the note value of a beat, 1 to {WIDEST}")

    @property
    def blank(self) -> Roll:
        """A roll without steps, with the grid, tempo and metre of the music."""
        no_steps = np.zeros((0, PITCHES), np.uint8)
        return Roll(no_steps, no_steps.astype(bool), self.per_quarter, ((0, self.tempo),), ((0, *self.metre),))


def going_on(home: Path, fresh: bool) -> SymbolicRun | None:
    """The run that training continues; None where it begins anew. See `training.beginning` for what it checks."""
    require_ours(home, LABEL["magic"])
    settle(home)
    return None if fresh or not exists(home) else read_run(place_of(home))


def begin(run: SymbolicRun, fill: Callable[[Path], None] = lambda folder: None) -> SymbolicRun:
    """Begins a training run in its folder: all files appear, or none.

    fill: writes further files into the new folder. Returns the run with the folder where it is trained.
    """
    plain = to_plain(run) | {"versions": versions()}
    # The folder may be moved: it is not stored in itself.
    del plain["folder"]
    return dataclasses.replace(run, folder=begin_folder(home_of(run.folder), LABEL, plain, fill))


def read_run(folder: Path) -> SymbolicRun:
    """The run of a folder.

    Raises RunFolderError, with the command to run, when there is no run or another program's.
    """
    with reading_options(folder, COMMAND, LABEL) as plain:
        run = from_plain(SymbolicRun, {**plain, "folder": folder})
        return dataclasses.replace(run, model=from_plain(MODELS[run.name], run.model))
