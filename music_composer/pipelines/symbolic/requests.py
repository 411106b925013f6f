"""What the jobs of the symbolic backend are asked for, as records that go to JSON and back: see records.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError
from music_composer.records import given
from music_composer.symbolic.options import (
    DEFAULT_MODEL,
    MODELS,
    BoundOptions,
    JudgeOptions,
    PlayOptions,
    make_model,
)
from music_composer.training.options import TrainOptions

RUN_FOLDER = Path("midi_model")
FOLDERS = FolderOptions(model=RUN_FOLDER)


@dataclasses.dataclass(frozen=True)
class ModelChoice:
    """Which model of notes somebody has asked for, and the fields of its options; None leaves a field to the model.

    which: its name; None: that of the run folder, or the default model.
    """

    which: str | None = None
    neurons: int | None = None
    layers: int | None = None
    transpose: int | None = None
    dropout: float | None = None
    input_dropout: float | None = None

    def __post_init__(self) -> None:
        """Raises OptionError for what makes no sense to the model, or to any where none is named."""
        if self.which is not None and self.which not in MODELS:
            raise OptionError(f"--model is {self.which[:60]!r}: it must be one of {', '.join(MODELS)}")
        errors, names = [], [self.which] if self.which else list(MODELS)
        for name in names:
            try:
                make_model(name, self.asked)
            except OptionError as error:
                errors.append(error)
        if len(errors) == len(names):
            raise errors[-1]

    @property
    def asked(self) -> dict[str, Any]:
        return {name: value for name, value in given(self).items() if name != "which"}


@dataclasses.dataclass(frozen=True)
class TrainChoice:
    """The fields of TrainOptions that somebody has asked for; None leaves a field to the model."""

    epochs: int | None = None
    batch_size: int | None = None
    held_out: float | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    average: float | None = None
    window_steps: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        TrainOptions(**self.asked)  # raises OptionError for a value out of range

    @property
    def asked(self) -> dict[str, Any]:
        return given(self)


@dataclasses.dataclass(frozen=True)
class PrepareRequest:
    """Brings the cache up to date with the MIDI files."""

    folders: FolderOptions = FOLDERS


@dataclasses.dataclass(frozen=True)
class TrainRequest:
    """Reads the MIDI files and trains.

    fresh: anew, and not on from the weights that are there. sample_every: epochs between two samples, kept with their
    weights in the run folder; 0: none.
    """

    folders: FolderOptions = FOLDERS
    network: ModelChoice = ModelChoice()
    training: TrainChoice = TrainChoice()
    fresh: bool = False
    sample_every: int = 0

    def __post_init__(self) -> None:
        if self.sample_every < 0:
            raise OptionError(f"--sample-every is {self.sample_every}: it must be at least 0")


@dataclasses.dataclass(frozen=True)
class GenerateRequest:
    """Composes. primer: a MIDI file to go on from, or to compose around."""

    folders: FolderOptions = FOLDERS
    playing: PlayOptions = PlayOptions()
    bounds: BoundOptions = BoundOptions()
    primer: Path | None = None


@dataclasses.dataclass(frozen=True)
class ComposeRequest:
    """The whole way: reads the MIDI files, trains, and composes."""

    folders: FolderOptions = FOLDERS
    network: ModelChoice = ModelChoice()
    training: TrainChoice = TrainChoice()
    fresh: bool = False
    playing: PlayOptions = PlayOptions()
    bounds: BoundOptions = BoundOptions()
    primer: Path | None = None

    @property
    def train(self) -> TrainRequest:
        return TrainRequest(self.folders, self.network, self.training, self.fresh)

    @property
    def generate(self) -> GenerateRequest:
        return GenerateRequest(self.folders, self.playing, self.bounds, self.primer)


@dataclasses.dataclass(frozen=True)
class EvaluateRequest:
    """Judges what a run folder composes, or, with `generated` and `reference`, one folder of MIDI files by another.

    temperature, top_k, top_p, conservativity: as in PlayOptions; None: as they are there.
    """

    folders: FolderOptions = FOLDERS
    judging: JudgeOptions = JudgeOptions()
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    conservativity: float | None = None
    generated: Path | None = None
    reference: Path | None = None

    def __post_init__(self) -> None:
        if (self.generated is None) != (self.reference is None):
            raise OptionError("--generated and --reference go together: what is judged, and by what")
        PlayOptions(**self.sampling)

    @property
    def sampling(self) -> dict[str, Any]:
        """Fields of PlayOptions."""
        names = ("temperature", "top_k", "top_p", "conservativity")
        return {name: value for name, value in given(self).items() if name in names}


@dataclasses.dataclass(frozen=True)
class BenchmarkRequest:
    """Trains on a benchmark file of piano rolls, and scores its test part.

    folder: of the run folders. members: models in the mixture. every_key: score every transposition too.
    """

    file: Path
    folder: Path = RUN_FOLDER
    network: ModelChoice = ModelChoice()
    training: TrainChoice = TrainChoice()
    members: int = 1
    every_key: bool = False

    def __post_init__(self) -> None:
        if self.members < 1:
            raise OptionError(f"--members is {self.members}: it must be at least 1")

    @property
    def name(self) -> str:
        """Of the model."""
        return self.network.which or DEFAULT_MODEL
