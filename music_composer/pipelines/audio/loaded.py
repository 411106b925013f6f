"""A loaded model: weights are read once and graphs are built once, however often it plays."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from music_composer.audio.continuation import prompt_selection, run_folder
from music_composer.audio.continuation.registry import (
    LoadedHead,
    load_head,
    player_of,
    select_head,
    with_prompt_seconds,
)
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.gap import Filling, Gap, prompt_before, read_gap
from music_composer.audio.options import MEMORY
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.players import Player
from music_composer.audio.prompts import Prompt
from music_composer.audio.wav import write_wav
from music_composer.context import SILENT, Context
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio.prompt_warnings import warn_out_of_distribution, warn_truncated
from music_composer.pipelines.audio.requests import GenerateRequest, InfillRequest, StreamRequest
from music_composer.values import Waveform


@dataclasses.dataclass(frozen=True)
class Continuation(Waveform):
    """New music after the end of its prompt. metadata: the content of the JSON beside a WAV of the command."""

    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def cut(self) -> float:
        """The second at which the new music begins."""
        return float(self.metadata.get("new_music_from_second", 0.0))

    def write(self, path: str | Path, subtype: str = "PCM_16") -> None:
        """Writes a WAV as the command does. Raises MusicComposerError when the disk refuses."""
        with write_wav(Path(path), self.rate, self.samples.shape[1], subtype) as file:
            file.write(self.samples)


class LoadedModel:
    """The model of a run folder. A head is read when it first plays. Threads may share a model."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._heads: dict[tuple[str, int], LoadedHead] = {}
        self._lock = threading.Lock()

    def with_head(self, requested: Mapping[str, Any]) -> Run:
        """Returns the run with the requested head. requested: fields of ModelOptions.

        Raises OptionError where the run folder was made with others.
        """
        return select_head(self.run, requested)

    def player(self, run: Run, options: GenerateOptions) -> Player:
        """Returns the player of a run from `with_head`. Raises RunFolderError where the run folder is damaged."""
        # The number of flow steps is part of a network's graph.
        key = run.model.head, 0 if run.model.head == MEMORY else options.flow_steps
        # Two threads that play at once must not load the head twice.
        with self._lock:
            if key not in self._heads:
                self._heads[key] = load_head(run, options)
        return player_of(run, options, self._heads[key])

    def network(self, run: Run) -> Any:
        """Returns the Keras model of a run whose head is a network."""
        options = GenerateOptions()
        # Loads the network, if it is not loaded yet. Any number of flow steps will do: the weights are the same.
        self.player(run, options)
        return self._heads[run.model.head, options.flow_steps].network


def load(folder: Path) -> LoadedModel:
    """Returns the model of a run folder. Raises RunFolderError, with advice, where there is none."""
    return LoadedModel(run_folder.read_run(folder))


@dataclasses.dataclass(frozen=True)
class Session:
    """A request with all choices made: head, options, seed and prompts.

    prompt_of: maps the number of a sample to its prompt.
    """

    run: Run
    options: GenerateOptions
    seed: int
    prompt_of: Callable[[int], Prompt]


def session_of(model: LoadedModel, request: GenerateRequest | StreamRequest, context: Context) -> Session:
    """Makes the choices that a request leaves open. Raises OptionError or RecordingError for an unusable prompt."""
    run = model.with_head(request.network.asked)
    named = [*request.blend, *request.prompts[: request.sampling.count]]
    options = with_prompt_seconds(run, request.sampling, named=bool(named))
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    prompt_of = prompt_selection.prompts_for(
        request.folders, run, options, request.prompts, request.blend, seed, context.say
    )
    warn_truncated(run, named, options.prompt_seconds, context.say)
    return Session(run, options, seed, prompt_of)


def batches_of(
    session: Session, player: Player, context: Context, numbers: Sequence[int] | None = None
) -> Iterator[tuple[Sequence[int], list[Prompt]]]:
    """Yields the numbers of the samples in each batch, with their prompts, and warns of unusual prompts.

    numbers: of all samples; None: those that the session asks for.
    """
    noted: set[Path] = set()
    every = range(session.options.count) if numbers is None else numbers
    for first in range(0, len(every), session.options.batch):
        numbers = every[first : first + session.options.batch]
        prompts = [session.prompt_of(number) for number in numbers]
        warn_out_of_distribution(player, [prompt for prompt in prompts if prompt.source not in noted], context.say)
        # Each file is mentioned once, however many samples continue it.
        noted |= {prompt.source for prompt in prompts}
        yield numbers, prompts


def continued(model: LoadedModel, request: GenerateRequest, context: Context = SILENT) -> list[Continuation]:
    """Returns continuations as arrays. The same seed gives the samples that the command writes."""
    session = session_of(model, request, context)
    run, options = session.run, session.options
    player = model.player(run, options)
    from music_composer.audio.continuation.metadata import metadata_of
    from music_composer.audio.continuation.writing import write_continuations

    made: list[Continuation] = []
    with context.stage("generating", "seconds") as advance:
        for numbers, prompts in batches_of(session, player, context):
            kept = _Memory(run.frame.rate)
            paths = [Path(str(number)) for number in numbers]
            before, total = numbers[0] * options.seconds, options.count * options.seconds

            def report(seconds: float, before: float = before, each: int = len(numbers), total: float = total) -> None:
                advance(before + each * seconds, total)

            written = write_continuations(
                player, run.frame, prompts, paths, numbers, options, session.seed, report, kept.opened
            )
            for number, path, each in zip(numbers, paths, written, strict=True):
                metadata = metadata_of(each, number, run, options, session.seed)
                made.append(Continuation(kept.samples_of(path), run.frame.rate, metadata))
    return made


def streamed(model: LoadedModel, request: StreamRequest, context: Context = SILENT) -> Iterator[Waveform]:
    """Yields one continuation in blocks as they are made: the end of the prompt, then new music. It equals sample 0."""
    request = dataclasses.replace(request, sampling=dataclasses.replace(request.sampling, count=1))
    session = session_of(model, request, context)
    player = model.player(session.run, session.options)
    from music_composer.audio.continuation.stream import stream_continuation

    prompt, frame = session.prompt_of(0), session.run.frame
    warn_out_of_distribution(player, [prompt], context.say)
    pieces = stream_continuation(player, frame, prompt, session.options, request.streaming, session.seed)
    for piece in pieces:
        if len(piece):
            yield Waveform(piece.samples, frame.rate)
        if context.stop_requested():
            return


@dataclasses.dataclass(frozen=True)
class Filled:
    """A gap and its filling."""

    run: Run
    options: GenerateOptions
    seed: int
    gap: Gap
    filling: Filling


def fill(model: LoadedModel, request: InfillRequest, context: Context = SILENT) -> Filled:
    """Fills the gap of a recording. Raises OptionError or RecordingError for a gap that cannot be filled."""
    run = model.with_head(request.network.asked)
    prompt_selection.require_files("--infill", [request.recording])
    options = with_prompt_seconds(run, dataclasses.replace(request.sampling, count=1), named=True)
    after = options.prompt_seconds if run.model.head == MEMORY else 0.0
    start, stop = request.gap_start, request.gap_stop
    gap = read_gap(request.recording, start, stop, options.prompt_seconds, run.frame, request.filling, after)
    prompt_before(gap, run.channels, run.model.frames_per_step, run.frame)  # fails here, before the model is loaded
    for remark in gap.remarks:
        context.say(f"note: {request.recording}: {remark}")
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    player = model.player(run, options)
    context.say(
        f"filling {start:g} s to {stop:g} s of {request.recording} from {request.filling.candidates} candidates, "
        f"seed {seed}"
    )
    return Filled(run, options, seed, gap, player.filled(gap, run.channels, request.filling, seed))


def infilled(model: LoadedModel, request: InfillRequest, context: Context = SILENT) -> Continuation:
    """Returns a recording whose gap is filled, as an array. All other samples stay."""
    found = fill(model, request, context)
    from music_composer.audio.continuation.infill import write_filled
    from music_composer.audio.continuation.metadata import infill_metadata_of

    with scratch_folder() as folder:  # recordings are copied block by block, whatever their format
        path = folder / "filled.wav"
        clipped = write_filled(path, found.gap, found.filling, found.run.frame, "FLOAT")
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    metadata = infill_metadata_of(
        found.gap, found.filling, clipped, found.run, found.options, request.filling, found.seed
    )
    return Continuation(samples, rate, metadata)


class _Memory:
    """Keeps continuations in memory, as float32, in place of the WAV files that `write_continuations` opens."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._kept: dict[Path, _Kept] = {}

    @contextlib.contextmanager
    def opened(self, path: Path, rate: int, channels: int, subtype: str, samples: int) -> Iterator[_Kept]:
        self._kept[path] = _Kept()
        yield self._kept[path]

    def samples_of(self, path: Path) -> np.ndarray:
        """Returns float32 (samples, channels)."""
        return np.concatenate(self._kept[path].pieces)


class _Kept:
    """A sink that keeps samples, clipped at full scale like a WAV."""

    def __init__(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.samples = self.clipped = 0

    def write(self, samples: np.ndarray) -> None:
        limited = np.clip(np.nan_to_num(samples), -1.0, 1.0).astype(np.float32)
        self.clipped += int(np.count_nonzero(limited != samples))
        self.samples += len(samples)
        self.pieces.append(limited)
