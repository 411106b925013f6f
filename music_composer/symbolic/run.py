"""The run folder of a symbolic model: what rebuilds it, and how its music is to be written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.options import from_plain
from music_composer.symbolic.frames import PITCHES
from music_composer.symbolic.options import MODELS
from music_composer.training.run import RunFolder, begin_folder, reading_options
from music_composer.values import Roll

LABEL = {"magic": "music-composer symbolic model", "version": 4}
COMMAND = "music-composer midi"


@dataclasses.dataclass(frozen=True)
class SymbolicRun(RunFolder):
    """What a run folder holds besides weights.

    name: of the model, and its options. per_quarter: steps in a quarter note. held_out: share of the pieces that was
    not trained on; it and the seed say which. tempo: quarter notes a minute of the music, in the middle. metre: beats
    in a bar and what note a beat is, as most of the music has it.
    """

    name: str
    model: Any  # the record that MODELS has under that name
    per_quarter: int
    held_out: float
    tempo: float
    metre: tuple[int, int]

    @property
    def blank(self) -> Roll:
        """A roll without steps: the grid, tempo and metre of the music."""
        none = np.zeros((0, PITCHES), np.uint8)
        return Roll(none, none.astype(bool), self.per_quarter, ((0, self.tempo),), ((0, *self.metre),))


def begin(run: SymbolicRun) -> None:
    """Makes a run folder; what an earlier run left in it goes."""
    plain = {name: value for name, value in dataclasses.asdict(run).items() if name != "folder"}
    begin_folder(run.folder, LABEL, plain)


def read_run(folder: Path) -> SymbolicRun:
    """The inverse. Raises RunFolderError, with what to do, when there is no run or it is not ours."""
    with reading_options(folder, COMMAND, LABEL) as plain:
        beats, note = plain["metre"]
        return SymbolicRun(
            folder,
            plain["name"],
            from_plain(MODELS[plain["name"]], plain["model"]),
            int(plain["per_quarter"]),
            float(plain["held_out"]),
            float(plain["tempo"]),
            (int(beats), int(note)),
        )
