"""Learning from MIDI files, and composing more of their kind: `music_composer.midi`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.library.arguments import StrPath, request_of
from music_composer.library.keywords import (
    CacheKeywords,
    NotesEvaluateKeywords,
    NotesGenerateKeywords,
    NotesTrainKeywords,
)

if TYPE_CHECKING:
    from music_composer.pipelines.results import NotesScorecard, Prepared
    from music_composer.pipelines.symbolic.loaded import Composition, LoadedModel

__all__ = ["Model", "evaluate", "load", "prepare", "train"]
DATASETS, MODEL = FolderOptions.datasets, "midi_model"
ON_DISK = "name", "overwrite", "musicxml"  # options of the files that the command writes


class Model:
    """A trained model of notes that stays loaded. Several threads may share it."""

    def __init__(self, loaded: LoadedModel, folders: FolderOptions) -> None:
        self._loaded, self._folders = loaded, folders

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._folders.model

    @property
    def which(self) -> str:
        """The name of the model: voices, polyphony, pianoroll or biaxial."""
        return self._loaded.run.name

    def generate(
        self, primer: StrPath | None = None, *, context: Context = SILENT, **options: Unpack[NotesGenerateKeywords]
    ) -> list[Composition]:
        """Composes; the same seed gives the notes that the command writes.

        primer: a MIDI file to go on from, or to compose around. Raises OptionError for options that make no sense,
        ScoreError for a primer that cannot be read, Stopped where it is cancelled.
        """
        from music_composer.pipelines.symbolic import loaded
        from music_composer.pipelines.symbolic.requests import GenerateRequest

        left_out = (*(field.name for field in dataclasses.fields(FolderOptions)), *ON_DISK)
        request = request_of(GenerateRequest, "generate", options, {"primer": primer}, left_out)
        return loaded.composed(self._loaded, dataclasses.replace(request, folders=self._folders), context)

    def score(self, files: Sequence[StrPath], *, context: Context = SILENT) -> list[str]:
        """How likely each file is under the model: a Markdown table, in natural logarithms."""
        from music_composer.pipelines.symbolic import evaluate as evaluation

        return evaluation.score(self.folder, [Path(each) for each in files], context, self._loaded)

    def evaluate(self, *, context: Context = SILENT, **options: Unpack[NotesEvaluateKeywords]) -> NotesScorecard:
        """Evaluates the music of the model on held-out pieces. Writes the scorecard and its page."""
        return evaluate(self, context=context, **options)


def prepare(folder: StrPath = DATASETS, *, context: Context = SILENT, **options: Unpack[CacheKeywords]) -> Prepared:
    """Reads the MIDI files of a folder, only those that have changed."""
    from music_composer.pipelines.results import Prepared
    from music_composer.pipelines.symbolic import compose
    from music_composer.pipelines.symbolic.requests import PrepareRequest

    request = request_of(PrepareRequest, "midi.prepare", options, {"datasets": folder}, ["model"])
    songs = compose.prepare(request, context)
    return Prepared(len(songs), compose.seconds_of(songs))


def train(folder: StrPath = DATASETS, *, context: Context = SILENT, **options: Unpack[NotesTrainKeywords]) -> Model:
    """Reads the MIDI files of a folder and trains: on from what is in the run folder, unless `fresh`.

    which: the model; what is not given is as that model likes it. Raises OptionError for a run folder that was made
    with other options, Stopped where it is cancelled: the same call then goes on from there.
    """
    from music_composer.pipelines.symbolic import compose
    from music_composer.pipelines.symbolic.requests import TrainRequest

    request = request_of(TrainRequest, "midi.train", options, {"datasets": folder})
    compose.train(request, context)
    return _model(request.folders)


def load(model: StrPath = MODEL) -> Model:
    """The model of a run folder. Raises RunFolderError, with what to do, where there is none."""
    return _model(FolderOptions(model=Path(model)))


def evaluate(
    model: StrPath | Model = MODEL, *, context: Context = SILENT, **options: Unpack[NotesEvaluateKeywords]
) -> NotesScorecard:
    """Evaluates the music of a run folder; with `generated` and `reference`, one folder of MIDI files on another."""
    from music_composer.pipelines.symbolic import evaluate as evaluation
    from music_composer.pipelines.symbolic.requests import EvaluateRequest

    known, loaded = (vars(model._folders), model._loaded) if isinstance(model, Model) else ({"model": model}, None)
    return evaluation.evaluate(request_of(EvaluateRequest, "midi.evaluate", {**known, **options}, {}), context, loaded)


def _model(folders: FolderOptions) -> Model:
    from music_composer.pipelines.symbolic import loaded

    return Model(loaded.load(folders.model), folders)
