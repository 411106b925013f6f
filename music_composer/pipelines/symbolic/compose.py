"""The jobs of training on MIDI files: prepare, train, and both with new pieces after them.

Mirrors pipelines/audio/compose.py. Keras is imported inside the functions that need it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.data.split_file import write_split
from music_composer.errors import OptionError, ScoreError
from music_composer.files.locks import locked
from music_composer.pipelines.symbolic import generate
from music_composer.pipelines.symbolic.loaded import play
from music_composer.pipelines.symbolic.requests import ComposeRequest, PrepareRequest, TrainRequest
from music_composer.progress import duration
from music_composer.symbolic.composition import networks
from music_composer.symbolic.composition import run_folder as symbolic_run
from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.constraints import constraints_from
from music_composer.symbolic.dataset import cache
from music_composer.symbolic.dataset.songs import Song
from music_composer.symbolic.dataset.split import digest_of, divided, split_of
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.options import (
    DEFAULT_MODEL,
    PER_QUARTER,
    TRAINING,
    BoundOptions,
    PlayOptions,
    make_model,
    with_model_defaults,
)
from music_composer.symbolic.roll import to_score
from music_composer.training import beginning, checkpoint, devices
from music_composer.training.job import next_job, run_job
from music_composer.training.options import TrainOptions
from music_composer.training.weights import save_weights


def prepare(request: PrepareRequest, context: Context = SILENT) -> list[Song]:
    """Brings the cache of piano rolls up to date with the MIDI files."""
    return prepare_cache(request.folders, PER_QUARTER, context)


def prepare_cache(folders: FolderOptions, per_quarter: int, context: Context = SILENT) -> list[Song]:
    """Does the same on the grid of a run folder."""
    started = time.monotonic()
    with locked(folders.traindata, folders.wait, context.say), context.stage("reading", "files") as advance:
        songs, report = cache.prepare(folders.datasets, folders.traindata, per_quarter, advance)
    for remark in report.remarks:
        context.say(f"note: {remark}")
    music = duration(seconds_of(songs))
    context.say(
        f"{len(songs)} MIDI files, {music} of music: {report.done} read, {report.kept} already there, "
        f"{report.removed} removed ({duration(time.monotonic() - started)})"
    )
    return songs


def seconds_of(songs: Sequence[Song]) -> float:
    """Returns the seconds of music in some songs."""
    return sum(float(seconds_at(song.roll, song.roll.steps)) for song in songs)


def train(request: TrainRequest, context: Context = SILENT) -> SymbolicRun:
    """Reads the MIDI files, then trains in the run folder, which continues unless the request is for a fresh start.

    Options that were not requested have the defaults of the model. Raises OptionError for a run folder with another
    network than requested.
    """
    with locked(request.folders.model, request.folders.wait, context.say):
        return _train(request, False, context)


def _train(request: TrainRequest, then_generate: bool, context: Context) -> SymbolicRun:
    folders, asked = request.folders, request.network.asked
    name = request.network.which
    devices.require_backend()
    old = symbolic_run.going_on(folders.model, request.fresh)
    # Refused before the files are read, which may take minutes.
    if old:
        _check_fits(old, name, asked)
    options = dataclasses.replace(TRAINING[old.name if old else name or DEFAULT_MODEL], **request.training.asked)
    songs = prepare_cache(folders, old.per_quarter if old else PER_QUARTER, context)
    before = checkpoint.read_state(old.checkpoint) if old else None
    state = next_job(before, options, digest_of(songs), then_generate, context.say)
    if old and state.job_done:
        return symbolic_run.read_run(folders.model)
    held_out = old.held_out if old else options.held_out
    split = split_of(old.folder if old else None, songs, held_out, context.say)
    parts = divided(songs, split)
    if not parts[0]:
        raise ScoreError(f"{folders.datasets}: all of its {len(songs)} songs are held out of training: add others")
    run = old or _new_run(folders.model, songs, parts[0], name or DEFAULT_MODEL, asked, options)
    devices.load_keras()
    model = networks.trainable_network(run, options, state.seed, context.say, going_on=old is not None)

    def fill(folder: Path) -> None:
        write_split(folder, split)
        checkpoint.save_checkpoint(folder / run.checkpoint.name, model, state)

    # The run folder begins only now, after everything that can fail: a refused job leaves no folder behind.
    if old:
        write_split(run.folder, split)
    else:
        symbolic_run.begin(run, fill)
    _train_job(model, parts, run, options, state, request.sample_every, context)
    return symbolic_run.read_run(folders.model)


def compose(request: ComposeRequest, context: Context = SILENT) -> list[Path]:
    """Reads the MIDI files, trains and composes. After an interruption the same call resumes."""
    generate.require_outputs(request.playing, request.primer)
    generate.require_request(request.playing, request.bounds, request.primer)
    with locked(request.folders.model, request.folders.wait, context.say):
        run = _train(request.train, True, context)
        paths = generate.generate(request.generate, context)
        # Only now is the job complete: an interrupted call composes without training again.
        checkpoint.mark_generated(run.checkpoint)
    return paths


def _check_fits(run: SymbolicRun, name: str | None, asked: Mapping[str, Any]) -> None:
    """Raises OptionError when options that the user gave differ from those of the run folder."""
    have = dataclasses.asdict(run.model)
    if name not in (None, run.name) or any(have.get(field) != value for field, value in asked.items()):
        raise OptionError(
            f"{run.folder} was made with --model {run.name} -n {run.model.neurons}: leave these options out to go "
            "on with it, give another folder with -m, or start anew with --fresh"
        )


def _new_run(
    home: Path,
    songs: Sequence[Song],
    training: Sequence[Song],
    name: str,
    asked: Mapping[str, Any],
    options: TrainOptions,
) -> SymbolicRun:
    """Returns a run whose folder does not exist yet."""
    # New pieces get the median tempo and the most frequent metre of the music, unless an option says otherwise.
    tempo = float(np.median([song.roll.tempos[0][1] for song in songs]))
    metres = [song.roll.metres[0][1:] for song in songs]
    metre = max(set(metres), key=metres.count)
    model = note_model(name).fitted(make_model(name, asked), [song.roll for song in training])
    return SymbolicRun(beginning.new_place(home), name, model, PER_QUARTER, options.held_out, tempo, metre)


def _train_job(
    model: Any,
    parts: tuple[Sequence[Song], Sequence[Song]],
    run: SymbolicRun,
    options: TrainOptions,
    state: checkpoint.TrainState,
    sample_every: int,
    context: Context,
) -> None:
    training, validation = ([song.roll for song in part] for part in parts)
    loader = note_model(run.name).loader(training, validation, run.model, options)
    weights = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    context.say(
        f"training the {run.name} model, {weights / 1e6:.1f} million weights: {state.job_epochs} epochs of "
        f"{loader.batches} steps, seed {state.seed}, {devices.describe()}"
    )

    def sample(state: checkpoint.TrainState) -> None:
        if sample_every and state.epoch % sample_every == 0:
            sampled = dataclasses.replace(run, folder=beginning.samples_of(run.folder, state.epoch))
            request = constraints_from(None, PlayOptions(), BoundOptions(), run.blank)
            player = note_model(run.name).player(model)
            (roll,) = play(run, player, [request], with_model_defaults(run.name, PlayOptions()), state.seed)
            write_midi(to_score(roll), sampled.folder / "sample.mid")
            save_weights(model, sampled.weights)

    run_job(model, loader, run, options, state, context, sample)
