"""Learning from recordings, and continuing them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from music_composer.audio.options import ModelOptions
from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.library.arguments import StrPath, paths_of, request_of
from music_composer.library.keywords import (
    CacheKeywords,
    EvaluateKeywords,
    EvolveKeywords,
    GenerateKeywords,
    InfillKeywords,
    RenderKeywords,
    StreamKeywords,
    TrainKeywords,
)

if TYPE_CHECKING:
    from music_composer.pipelines.audio.loaded import Continuation, LoadedModel
    from music_composer.pipelines.results import Prepared, Scorecard
    from music_composer.values import Waveform

DATASETS, MODEL = FolderOptions.datasets, FolderOptions.model
ON_DISK = "name", "overwrite", "subtype"  # options of the files that the command writes


class Model:
    """A trained model that stays loaded: it generates, streams and fills gaps as often as wanted.

    Weights are read when the model first plays. Several threads may share a model.
    """

    def __init__(self, loaded: LoadedModel, folders: FolderOptions) -> None:
        self._loaded, self._folders = loaded, folders

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._folders.model

    @property
    def rate(self) -> int:
        """Samples a second of what it plays."""
        return self._loaded.run.frame.rate

    def generate(
        self,
        prompt: StrPath | Sequence[StrPath] | None = None,
        *,
        context: Context = SILENT,
        **options: Unpack[GenerateKeywords],
    ) -> list[Continuation]:
        """Continues music; the same seed gives the samples that the command writes.

        prompt: a recording, or several that are used in turn; None: random excerpts of the music that was learnt from.
        Raises OptionError for options that make no sense, RecordingError for a prompt that nothing can continue,
        Stopped where it is cancelled.
        """
        from music_composer.pipelines.audio import loaded
        from music_composer.pipelines.audio.requests import GenerateRequest

        request = self._request(GenerateRequest, "generate", options, {"prompts": paths_of(prompt)})
        return loaded.continued(self._loaded, request, context)

    def stream(
        self,
        prompt: StrPath | Sequence[StrPath] | None = None,
        *,
        context: Context = SILENT,
        **options: Unpack[StreamKeywords],
    ) -> Iterator[Waveform]:
        """One continuation in blocks, each as soon as it is made: the prompt's end, then the new music.

        Ends after `seconds`; with `endless`, when the caller stops asking for blocks or the context is cancelled.
        """
        from music_composer.pipelines.audio import loaded
        from music_composer.pipelines.audio.requests import StreamRequest

        request = self._request(StreamRequest, "stream", options, {"prompts": paths_of(prompt)}, "count")
        return loaded.streamed(self._loaded, request, context)

    def infill(
        self,
        recording: StrPath,
        start: float,
        stop: float,
        *,
        context: Context = SILENT,
        **options: Unpack[InfillKeywords],
    ) -> Continuation:
        """A recording whose gap from `start` to `stop` (seconds) is filled; everything else in it stays."""
        from music_composer.pipelines.audio import loaded
        from music_composer.pipelines.audio.requests import InfillRequest

        fixed = {"recording": recording, "gap_start": start, "gap_stop": stop}
        return loaded.infilled(self._loaded, self._request(InfillRequest, "infill", options, fixed, "count"), context)

    def evaluate(self, *, context: Context = SILENT, **options: Unpack[EvaluateKeywords]) -> Scorecard:
        """Evaluates the music of the model on held-out music. Writes the scorecard and its page."""
        return evaluate(self, context=context, **options)

    def _request(
        self, record: type, function: str, options: Mapping[str, Any], fixed: Mapping[str, Any], *left_out: str
    ) -> Any:
        """A request to the loaded model. left_out: fields that are no keyword arguments, besides those on disk."""
        request: Any = request_of(record, function, options, fixed, (*_OF_FOLDERS, *_OF_NETWORK, *ON_DISK, *left_out))
        return dataclasses.replace(request, folders=self._folders)


def prepare(folder: StrPath = DATASETS, *, context: Context = SILENT, **options: Unpack[CacheKeywords]) -> Prepared:
    """Cuts the recordings of a folder into frames, only those that have changed.

    Raises RecordingError where none of them can be used, CacheError where the cache cannot be written.
    """
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import PrepareRequest
    from music_composer.pipelines.results import Prepared

    request = request_of(PrepareRequest, "prepare", options, {"datasets": folder}, ["model"])
    ready = compose.prepare(request, context)
    return Prepared(len(ready.songs), ready.seconds)


def train(folder: StrPath = DATASETS, *, context: Context = SILENT, **options: Unpack[TrainKeywords]) -> Model:
    """Prepares the recordings of a folder, then trains: on from what is in the run folder, unless `fresh`.

    Neurons, layers and epochs that are not given fit the amount of music. Raises OptionError for a run folder that was
    made with other options, Stopped where it is cancelled: the same call then goes on from there.
    """
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import TrainRequest

    request = request_of(TrainRequest, "train", options, {"datasets": folder})
    compose.train(request, context)
    return _model(request.folders)


def load(
    model: StrPath = MODEL, *, datasets: StrPath = DATASETS, traindata: StrPath = FolderOptions.traindata
) -> Model:
    """The model of a run folder. Raises RunFolderError, with what to do, where there is none.

    datasets, traindata: where the music that was learnt from and its cache are, for random prompts; where they are
    gone, excerpts that the run folder keeps are taken.
    """
    return _model(FolderOptions(Path(datasets), Path(traindata), Path(model)))


def evaluate(
    model: StrPath | Model = MODEL, *, context: Context = SILENT, **options: Unpack[EvaluateKeywords]
) -> Scorecard:
    """Evaluates the music of a run folder; with `generated` and `reference`, one folder of recordings on another."""
    from music_composer.pipelines.audio import evaluate as evaluation
    from music_composer.pipelines.audio.requests import EvaluateRequest

    known, loaded = (vars(model._folders), model._loaded) if isinstance(model, Model) else ({"model": model}, None)
    return evaluation.evaluate(request_of(EvaluateRequest, "evaluate", {**known, **options}, {}), context, loaded)


def render(
    files: StrPath | Sequence[StrPath],
    output: StrPath | None = None,
    *,
    context: Context = SILENT,
    **options: Unpack[RenderKeywords],
) -> list[Path]:
    """Renders MIDI files, and all in the folders among them, to WAVs in `output`, or beside each; returns these."""
    from music_composer.pipelines import render as rendering
    from music_composer.pipelines.requests import RenderRequest

    fixed = {"files": paths_of(files), "output": output}
    return rendering.render_files(request_of(RenderRequest, "render", options, fixed), context)


def evolve(
    files: StrPath | Sequence[StrPath],
    output: StrPath = "outputs",
    *,
    context: Context = SILENT,
    **options: Unpack[EvolveKeywords],
) -> list[Path]:
    """Evolves networks that re-pitch MIDI files, in a new folder of `output`; returns the MIDI files of the best.

    Raises Stopped where it is cancelled: what has evolved by then is written.
    """
    from music_composer.pipelines import evolve as evolution
    from music_composer.pipelines.requests import EvolveRequest

    fixed = {"files": paths_of(files), "output": output}
    return evolution.evolve_files(request_of(EvolveRequest, "evolve", options, fixed), context)


def _model(folders: FolderOptions) -> Model:
    from music_composer.pipelines.audio import loaded

    return Model(loaded.load(folders.model), folders)


_OF_FOLDERS = tuple(field.name for field in dataclasses.fields(FolderOptions))
# What a run folder was made with is no option of what it plays; which of its heads plays is one.
_OF_NETWORK = tuple(field.name for field in dataclasses.fields(ModelOptions) if field.name != "head")
