"""What the jobs that belong to neither backend are asked for, as records that go to JSON and back: see records.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from music_composer.errors import OptionError
from music_composer.genetic.options import EvolveOptions
from music_composer.synth.options import RenderOptions


@dataclasses.dataclass(frozen=True)
class RenderRequest:
    """Renders MIDI files, and all in the folders among them. output: a folder; None: beside each file."""

    files: tuple[Path, ...]
    output: Path | None = None
    sound: RenderOptions = RenderOptions()


@dataclasses.dataclass(frozen=True)
class EvolveRequest:
    """Evolves networks that re-pitch MIDI files.

    output: a folder for the folder of this evolution. load: a models.json to begin with, load_best: so many of its
    networks. save: write the last ones. parallel: use all cores.
    """

    files: tuple[Path, ...]
    evolution: EvolveOptions = EvolveOptions()
    output: Path = Path("outputs")
    load: Path | None = None
    load_best: int | None = None
    save: bool = False
    parallel: bool = False

    def __post_init__(self) -> None:
        if self.load_best and not self.load:
            raise OptionError("--load-best goes with --load: give the models.json that they are in")
