"""Evaluates the music of a symbolic model on held-out pieces, or any MIDI files on any others.

Mirrors pipelines/audio/evaluate.py. What is measured is in evaluation/symbolic/scorecard.py.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.errors import MusicComposerError, RunFolderError, ScoreError
from music_composer.evaluation.symbolic.metrics import METRICS
from music_composer.evaluation.symbolic.report import summary_of, tables_of
from music_composer.evaluation.symbolic.scorecard import scorecard_of
from music_composer.evaluation.symbolic.scorecard_records import LikelihoodFigures, ModelFacts, Scorecard, plain_of
from music_composer.files.locks import locked
from music_composer.files.outputs import Output, clean, require_free, staged
from music_composer.pipelines.symbolic import compose, generate
from music_composer.pipelines.symbolic.loaded import LoadedModel, load, play
from music_composer.pipelines.symbolic.requests import EvaluateRequest
from music_composer.reports.plots import plot_densities
from music_composer.reports.tables import Table, markdown, write_page
from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.constraints import constraints_from
from music_composer.symbolic.dataset.songs import Song, read_song, read_songs
from music_composer.symbolic.dataset.split import divided, split_of
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.options import (
    PER_QUARTER,
    SAMPLING_FIELDS,
    BoundOptions,
    JudgeOptions,
    PlayOptions,
    with_model_defaults,
)
from music_composer.symbolic.plots import plot_roll
from music_composer.symbolic.roll import to_score
from music_composer.symbolic.roll_operations import beginning, silence
from music_composer.training import checkpoint, devices
from music_composer.values import Roll

CARD, PAGE, METRICS_PLOT = "scorecard.json", "scorecard.html", "metrics.png"
SHOWN = 3  # of them on the page


def evaluate(request: EvaluateRequest, context: Context = SILENT, loaded: LoadedModel | None = None) -> Scorecard:
    """Evaluates the music of a run folder, or one folder of MIDI files on another. Writes the scorecard and its page.

    loaded: the model, if it is already loaded.
    """
    if request.generated and request.reference:
        return evaluate_folders(request.generated, request.reference, request.judging, context)
    return evaluate_run(request, context, loaded)


def evaluate_run(request: EvaluateRequest, context: Context = SILENT, loaded: LoadedModel | None = None) -> Scorecard:
    """Composes with the model of the run folder, in the metres, tempos and lengths of the training music, and compares
    the pieces with held-out ones. Returns the scorecard. loaded: the model, if it is already loaded.
    """
    folders, options = request.folders, request.judging
    pieces = [f"piece-{number}{suffix}" for number in range(options.count) for suffix in (".mid", ".png")]
    require_free([_card(options, pieces)], options.overwrite)
    devices.require_backend()
    loaded = loaded or load(folders.model)
    run = loaded.run
    state = checkpoint.read_state(run.checkpoint)
    if state is None:
        raise RunFolderError(f"{run.checkpoint} is missing: run `music-composer midi train` first")
    songs = compose.prepare_cache(folders, run.per_quarter, context)
    training, held_out = divided(songs, split_of(run.folder, songs, run.held_out, context.say))
    if not held_out:
        raise MusicComposerError(
            f"nothing of {folders.datasets} was held out of training: train with more files, "
            "or with --eval-ratio above 0"
        )
    model, player = loaded.network, loaded.player
    played = with_model_defaults(run.name, PlayOptions(count=options.count, steps=options.steps, **request.sampling))
    examples = _examples_for(training, options.count, options.seed)
    constraint_sets = [constraints_from(None, played, BoundOptions(), _grid_of(song.roll)) for song in examples]
    started = time.monotonic()
    with context.stage("composing", "pieces") as advance:
        rolls = play(run, player, constraint_sets, played, options.seed, advance)
    # A piece ends where its example ends: no model of notes has learned what comes after the end of a song.
    made = [
        Song(f"piece-{number}", beginning(roll, song.roll.steps))
        for number, (roll, song) in enumerate(zip(rolls, examples, strict=True))
    ]
    spent = time.monotonic() - started
    seconds = sum(map(generate.seconds_of, constraint_sets))
    facts = ModelFacts(
        run.name,
        **{name: getattr(played, name) for name in SAMPLING_FIELDS},
        seconds=round(seconds),
        elapsed=round(spent, 1),
        x_real_time=seconds / spent,
    )
    composer = note_model(run.name)
    with devices.playing_fast():
        nats = {
            name: _nats(composer.likelihood(model, [song.roll for song in part]), part)
            # As many training pieces as held-out ones: the likelihood of all of them would take many times as long.
            for name, part in (("training", training[: len(held_out)]), ("held out", held_out))
        }
    with locked(options.output, folders.wait, context.say):
        clean([_card(options, pieces)])
        with staged(options.output / CARD, options.overwrite) as files:
            for song in made:
                write_midi(to_score(song.roll), files.file(f"{song.source}.mid"))
            files.commit()
        return _judge(made, training, held_out, options, context, facts, nats)


def evaluate_folders(generated: Path, reference: Path, options: JudgeOptions, context: Context = SILENT) -> Scorecard:
    """Evaluates any MIDI files on any others. Every second one of these takes the place of held-out music."""
    require_free([_card(options)], options.overwrite)
    made, others = (_songs(folder, PER_QUARTER, context) for folder in (generated, reference))
    if len(others) < 2:
        raise ScoreError(f"{reference}: one file is not enough to judge by: half of them are the ruler for the others")
    card = _card(options, [f"{Path(song.source).stem}.png" for song in made[:SHOWN]])
    require_free([card], options.overwrite)
    with locked(options.output, say=context.say):
        clean([card])
        return _judge(made, others[::2], others[1::2], options, context)


def _card(options: JudgeOptions, others: Sequence[str] = ()) -> Output:
    """The files of a scorecard. others: names beside those of every one."""
    return Output(options.output / CARD, (PAGE, METRICS_PLOT, *others))


def score(
    folder: Path, files: Sequence[Path], context: Context = SILENT, loaded: LoadedModel | None = None
) -> list[str]:
    """Returns a Markdown table of the log likelihood of each file, from its first bar with notes.

    Files that cannot be scored are named and left out. Raises ScoreError where none can be scored. loaded: the model,
    if it is already loaded.
    """
    loaded = loaded or load(folder)
    run = loaded.run
    songs, failures = [], []
    for path in files:
        try:
            roll, remarks = read_song(path, run.per_quarter)
        except ScoreError as error:
            failures.append(str(error))
            continue
        songs.append(Song(str(path), roll))
        for remark in remarks:
            context.say(f"note: {path}: {remark}")
    if not songs:
        raise ScoreError(failures[0] if len(failures) == 1 else "nothing was scored:\n  " + "\n  ".join(failures))
    for failure in failures:
        context.say(f"note: left out: {failure}")
    model = loaded.network
    with devices.playing_fast():
        likelihoods = note_model(run.name).likelihood(model, [song.roll for song in songs])
    rows = []
    for song, steps in zip(songs, likelihoods, strict=True):
        nats = _nats([steps], [song])
        rows.append([song.source, str(song.roll.steps), str(int(song.roll.onset.sum())), f"{steps.sum():.1f}",
                     f"{-nats.per_step:.3f}", f"{-nats.per_note:.3f}"])  # fmt: skip
    words = f"natural logarithms, under the {run.name} model in {folder}; nearer to 0 is likelier"
    columns = ["piece", "steps", "notes", "whole", "a step", "a note"]
    return markdown([Table("Log likelihood", words, columns, rows)])


def _examples_for(songs: Sequence[Song], count: int, seed: int) -> list[Song]:
    """Returns `count` songs, each equally often, whose metre, tempo and length the new pieces get."""
    order = np.random.default_rng([seed, 1]).permutation(len(songs))
    return [songs[order[i % len(songs)]] for i in range(count)]


def _grid_of(roll: Roll) -> Roll:
    """Returns a roll without steps, in the metre and tempo with which `roll` begins."""
    return dataclasses.replace(silence(0, roll), tempos=roll.tempos[:1], metres=roll.metres[:1])


def _songs(folder: Path, per_quarter: int, context: Context) -> list[Song]:
    with context.stage("reading", "files") as advance:
        songs, remarks = read_songs(folder, per_quarter, advance)
    for remark in remarks:
        context.say(f"note: {remark}")
    return songs


def _judge(
    made: Sequence[Song],
    training: Sequence[Song],
    held_out: Sequence[Song],
    options: JudgeOptions,
    context: Context,
    facts: ModelFacts | None = None,
    likelihood: dict[str, LikelihoodFigures] | None = None,
) -> Scorecard:
    card, measured = scorecard_of(made, training, held_out, options.seed)
    card = dataclasses.replace(card, facts=facts, likelihood=likelihood)
    with staged(options.output / CARD, options.overwrite) as files:
        plot_densities(measured, list(METRICS), files.file(METRICS_PLOT))
        rolls = [f"{Path(song.source).stem}.png" for song in made[:SHOWN]]
        for song, name in zip(made, rolls, strict=False):
            plot_roll(song.roll, np.zeros_like(song.roll.active), files.file(name))
        pictures = {"Measures": [METRICS_PLOT], "Copying": rolls}
        write_page(files.file(PAGE), "The scorecard", summary_of(card), tables_of(card), pictures)
        files.commit(plain_of(card))
    context.say(f"wrote {options.output / PAGE}")
    context.written(options.output / PAGE)
    return card


def _nats(likelihood: Sequence[np.ndarray], songs: Sequence[Song]) -> LikelihoodFigures:
    steps, notes = sum(map(len, likelihood)), sum(int(song.roll.onset.sum()) for song in songs)
    nats = -sum(float(each.sum()) for each in likelihood)
    return LikelihoodFigures(per_step=nats / max(1, steps), per_note=nats / max(1, notes))
