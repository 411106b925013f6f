"""Requests of the jobs of the audio backend, as records that convert to JSON and back: see records.py.

A request consists of the option records of its stages. The command line and the library build the same ones.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field
from pathlib import Path
from typing import Any

from music_composer.audio.options import AUTO, HEADS, EvaluateOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions, InfillOptions, StreamOptions
from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError
from music_composer.options import require_one_of
from music_composer.records import given, stored_as
from music_composer.training.options import TrainOptions


@dataclasses.dataclass(frozen=True)
class NetworkChoice:
    """The requested fields of ModelOptions. None leaves a field to the run folder or to the amount of music."""

    neurons: int | None = None
    layers: int | None = None
    head: str | None = None
    frames_per_step: int | None = field(default=None, metadata=stored_as("stack"))
    components: int | None = None
    head_width: int | None = None
    head_blocks: int | None = None
    dropout: float | None = None
    whitening_exponent: float | None = field(default=None, metadata=stored_as("tilt"))
    training_noise: float | None = None
    reach: int | None = None

    def __post_init__(self) -> None:
        ModelOptions(**self.asked)  # raises OptionError for a value out of range

    @property
    def asked(self) -> dict[str, Any]:
        """The fields that are not None."""
        return given(self)


@dataclasses.dataclass(frozen=True)
class PrepareRequest:
    """Brings the cache up to date with the recordings."""

    folders: FolderOptions = FolderOptions()


@dataclasses.dataclass(frozen=True)
class TrainRequest:
    """Prepares and trains.

    fresh: start anew instead of continuing from existing weights. sample_every: epochs between two samples in the run
    folder; 0 for none.
    """

    folders: FolderOptions = FolderOptions()
    network: NetworkChoice = NetworkChoice()
    training: TrainOptions = TrainOptions()
    fresh: bool = False
    sample_every: int = 0

    def __post_init__(self) -> None:
        if self.sample_every < 0:
            raise OptionError(f"--sample-every is {self.sample_every}: it must be at least 0")


@dataclasses.dataclass(frozen=True)
class GenerateRequest:
    """Continues music.

    network: what the run folder must have been made with; its head chooses what plays. prompts: recordings, used in
    turn; random excerpts if empty. blend: two recordings whose mixture is continued instead.
    """

    folders: FolderOptions = FolderOptions()
    network: NetworkChoice = NetworkChoice()
    sampling: GenerateOptions = GenerateOptions()
    prompts: tuple[Path, ...] = ()
    blend: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        _require_blend(self.prompts, self.blend)


@dataclasses.dataclass(frozen=True)
class ComposeRequest:
    """Prepares, trains, and continues music."""

    folders: FolderOptions = FolderOptions()
    network: NetworkChoice = NetworkChoice()
    training: TrainOptions = TrainOptions()
    fresh: bool = False
    sampling: GenerateOptions = GenerateOptions()
    prompts: tuple[Path, ...] = ()
    blend: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        _require_blend(self.prompts, self.blend)

    @property
    def train(self) -> TrainRequest:
        """The training part of the request."""
        return TrainRequest(self.folders, self.network, self.training, self.fresh)

    @property
    def generate(self) -> GenerateRequest:
        """The request to the trained model, whatever it was requested to be made with."""
        return GenerateRequest(self.folders, NetworkChoice(), self.sampling, self.prompts, self.blend)


@dataclasses.dataclass(frozen=True)
class StreamRequest:
    """Plays one continuation while it is made."""

    folders: FolderOptions = FolderOptions()
    network: NetworkChoice = NetworkChoice()
    sampling: GenerateOptions = GenerateOptions()
    streaming: StreamOptions = StreamOptions()
    prompts: tuple[Path, ...] = ()
    blend: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        _require_blend(self.prompts, self.blend)


@dataclasses.dataclass(frozen=True)
class InfillRequest:
    """Fills the gap of a recording from one second to another."""

    recording: Path
    gap_start: float
    gap_stop: float
    folders: FolderOptions = FolderOptions()
    network: NetworkChoice = NetworkChoice()
    sampling: GenerateOptions = GenerateOptions()
    filling: InfillOptions = InfillOptions()


@dataclasses.dataclass(frozen=True)
class EvaluateRequest:
    """Judges the music of a run folder or, with `generated` and `reference`, one folder of recordings by another.

    held_out: recordings outside of the training music; None uses the held-out part of the dataset. head: what plays,
    where the run folder has a network and a memory.
    """

    folders: FolderOptions = FolderOptions()
    evaluation: EvaluateOptions = EvaluateOptions()
    head: str = AUTO
    held_out: Path | None = None
    generated: Path | None = None
    reference: Path | None = None

    def __post_init__(self) -> None:
        require_one_of("--head", self.head, HEADS)
        if (self.generated is None) != (self.reference is None):
            raise OptionError("--generated and --reference go together: what is judged, and by what")


def _require_blend(prompts: tuple[Path, ...], blend: tuple[Path, ...]) -> None:
    if blend and prompts:
        raise OptionError("--blend and --prompt exclude each other: give one of them")
    if len(blend) not in (0, 2):
        raise OptionError(f"--blend is {len(blend)} recordings: it takes two")
