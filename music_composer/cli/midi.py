"""`music-composer midi`: the symbolic backend, with the same words and letters as the audio side where they fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from music_composer.cli.evolve import evolve
from music_composer.cli.midi_options import PLAYING, TASTE
from music_composer.cli.options import (
    DEBUG,
    FOLDER,
    FRESH,
    OVERWRITE,
    SEED,
    SEED_NUMBER,
    SETTINGS,
    WAIT,
    by_model,
    echo,
    option,
    record_of,
    refuse_before_subcommand,
    terminal,
    with_options,
)
from music_composer.cli.render import RENDER, check_sound, render, render_written
from music_composer.errors import OptionError
from music_composer.options import FolderOptions, TrainOptions
from music_composer.symbolic.options import (
    DEFAULT_MODEL,
    MODELS,
    TASTES,
    TRAINING,
    BoundOptions,
    JudgeOptions,
    PlayOptions,
    make_model,
)

DATASETS = option(
    FolderOptions, "datasets", "-d", "--datasets-folder-path", type=FOLDER, help="MIDI files to learn from."
)
TRAINDATA = option(FolderOptions, "traindata", "-t", "--traindata-folder-path", type=FOLDER, help="The cache of rolls.")
MODEL = click.option(
    "-m", "--model-folder-path", "model", type=FOLDER, default=Path("midi_model"), show_default=True,
    help="The run folder.",
)  # fmt: skip
WHICH = click.option(
    "--model", "which", type=click.Choice(list(MODELS)),
    help=f"Which model of notes.  [default: the run folder's, or {DEFAULT_MODEL}]",
)  # fmt: skip
NEURONS = click.option(
    "-n", "--hidden-layer-neurons", "neurons", type=int,
    help=f"Width of the LSTM layers.  {by_model(MODELS, 'neurons')}",
)  # fmt: skip
LAYERS = click.option(
    "-l", "--hidden-layer-count", "layers", type=int, help=f"LSTM layers.  {by_model(MODELS, 'layers')}"
)
TRANSPOSE = click.option(
    "--transpose", type=int, help=f"Semitones that music is transposed by in training.  {by_model(MODELS, 'transpose')}"
)
EPOCHS = click.option(
    "-e", "--epochs", type=int, help=f"Passes over the music in this run.  {by_model(TRAINING, 'epochs')}"
)
BATCH = click.option("-b", "--batch-size", type=int, help=f"Pieces in a batch.  {by_model(TRAINING, 'batch_size')}")
HELD_OUT = click.option(
    "--eval-ratio", "held_out", type=click.FloatRange(0, 0.9), default=TrainOptions.held_out, show_default=True,
    help="Share of the pieces that the model is only judged by.",
)  # fmt: skip
LEARNING = [DATASETS, TRAINDATA, WAIT, MODEL, WHICH, NEURONS, LAYERS, TRANSPOSE, EPOCHS, BATCH, HELD_OUT, FRESH]


@click.group(invoke_without_command=True, context_settings=SETTINGS)
@with_options(*LEARNING, *PLAYING, *RENDER, SEED, DEBUG)
@click.pass_context
def midi(context: click.Context, **given: Any) -> None:
    """Learns music from a folder of MIDI files, and composes more of its kind.

    Put MIDI files into input_music_dataset/ and run `music-composer midi`: it trains, and writes MIDI files.
    """
    if context.invoked_subcommand:
        refuse_before_subcommand(context, given)
        return
    check_sound(given, given["name"], given["count"])
    from music_composer.pipelines.symbolic import compose

    written = compose.compose(
        record_of(FolderOptions, given), *_model(given), _training(given),
        record_of(PlayOptions, given), record_of(BoundOptions, given), given["primer"], given["fresh"], terminal(),
    )  # fmt: skip
    render_written(written, given)


midi.add_command(evolve)
midi.add_command(render)


@midi.command()
@with_options(DATASETS, TRAINDATA, WAIT, DEBUG)
def prepare(**given: Any) -> None:
    """Read the MIDI files, only what has changed."""
    from music_composer.pipelines.symbolic import compose

    compose.prepare(record_of(FolderOptions, given), context=terminal())


@midi.command()
@with_options(click.argument("files", nargs=-1, type=FOLDER), DATASETS, TRAINDATA, MODEL, DEBUG)
def info(files: tuple[Path, ...], **given: Any) -> None:
    """Say what is in the dataset, the cache and the run folder; or, of FILES, which parts they have.

    Parts are numbered as --lock-track and `midi evolve --part` take them.
    """
    from music_composer.pipelines.info import describe_midi
    from music_composer.pipelines.symbolic.info import describe_files

    for line in describe_files(files) if files else describe_midi(record_of(FolderOptions, given)):
        echo(line)


@midi.command()
@with_options(
    *LEARNING,
    click.option("--sample-every", type=click.IntRange(min=0), default=0, show_default=True,
                 help="Epochs between two samples, kept with their weights in the run folder; 0: none."),
    SEED,
    DEBUG,
)  # fmt: skip
def train(**given: Any) -> None:
    """Train; further, where there are weights."""
    from music_composer.pipelines.symbolic import compose

    folders = record_of(FolderOptions, given)
    compose.train(folders, *_model(given), _training(given), given["fresh"], False, given["sample_every"], terminal())


@midi.command()
@with_options(MODEL, WAIT, *PLAYING, *RENDER, SEED, DEBUG)
def generate(**given: Any) -> None:
    """Compose with the trained model."""
    from music_composer.pipelines.symbolic import generate as play_midi

    check_sound(given, given["name"], given["count"])
    folders, playing = record_of(FolderOptions, given), record_of(PlayOptions, given)
    bounds = record_of(BoundOptions, given)
    render_written(play_midi.generate(folders, playing, bounds, given["primer"], terminal()), given)


@midi.command()
@with_options(
    DATASETS,
    TRAINDATA,
    WAIT,
    MODEL,
    OVERWRITE,
    option(JudgeOptions, "output", "-o", "--output", type=FOLDER, help="Folder of the scorecard."),
    option(JudgeOptions, "count", "-g", "--num-outputs", type=int, help="Pieces that are composed to be judged."),
    option(JudgeOptions, "steps", "--num-steps", type=int, help="In each of them, sixteenths, at most."),
    *TASTE,
    click.option("--generated", type=FOLDER, help="Judge these MIDI files instead of a model's,"),
    click.option("--reference", type=FOLDER, help="by these."),
    click.option("--benchmark", type=FOLDER, help="Train and score on a .mat file of piano rolls with its parts."),
    WHICH,
    NEURONS,
    EPOCHS,
    BATCH,
    click.option("--members", type=click.IntRange(1), default=1, show_default=True, help="Models in the mixture."),
    click.option("--every-key", is_flag=True, help="Score a .mat file's test part under every transposition too."),
    option(JudgeOptions, "seed", "--seed", type=SEED_NUMBER, help="The same seed, the same verdict."),
    DEBUG,
)
def evaluate(**given: Any) -> None:
    """Judge what the model composes by the pieces that it never saw, and write a page.

    With --benchmark: train, and print nats a step beside the published record.
    """
    if bool(given["generated"]) != bool(given["reference"]):
        raise OptionError("--generated and --reference go together: what is judged, and by what")
    if given["benchmark"]:
        from music_composer.pipelines.symbolic import benchmark

        name = given["which"] or DEFAULT_MODEL
        options = dataclasses.replace(TRAINING[name], **_training(given))
        asked = {} if given["neurons"] is None else {"neurons": given["neurons"]}
        benchmark.evaluate_benchmark(
            given["benchmark"], given["model"], options, given["members"], name, asked, given["every_key"], terminal()
        )
        return
    options = record_of(JudgeOptions, given)
    from music_composer.pipelines.symbolic import evaluate as evaluate_midi

    if given["generated"]:
        card = evaluate_midi.evaluate_folders(given["generated"], given["reference"], options, terminal())
    else:
        playing = {name: given[name] for name in TASTES}
        card = evaluate_midi.evaluate_run(record_of(FolderOptions, given), options, playing, terminal())
    for line in evaluate_midi.lines_of(card):
        echo(line)


@midi.command()
@with_options(click.argument("files", nargs=-1, required=True, type=FOLDER), MODEL, DEBUG)
def score(files: tuple[Path, ...], **given: Any) -> None:
    """Print how likely pieces are under the trained model."""
    from music_composer.pipelines.symbolic import evaluate as evaluate_midi

    for line in evaluate_midi.score(given["model"], files, terminal()):
        echo(line)


@midi.command()
@with_options(
    click.argument("file", type=FOLDER),
    MODEL,
    click.option(
        "-o", "--output", type=FOLDER, default=Path("midi_thoughts"), show_default=True, help="Folder of the pictures."
    ),
    OVERWRITE,
    DEBUG,
)
def observe(**given: Any) -> None:
    """Show what goes on inside a biaxial model while it listens to a piece."""
    from music_composer.pipelines.symbolic import observe as observe_midi

    page = observe_midi.observe_file(given["model"], given["file"], given["output"], given["overwrite"])
    echo(f"open {page}")


@midi.command()
@with_options(
    click.option("-o", "--output", type=FOLDER, default=Path("midi_demo"), show_default=True, help="Folder to make."),
    OVERWRITE,
    click.option("--seed", type=SEED_NUMBER, default=1, show_default=True),
    DEBUG,
)
def demo(**given: Any) -> None:
    """Compose a corpus by rule, let each model learn it for a minute, and show what they make of it on a page."""
    from music_composer.pipelines.symbolic import demo as journey_midi

    page = journey_midi.run_demo(given["output"], given["seed"], given["overwrite"], terminal())
    echo(f"open {page}")


def _model(given: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The model's name and options, only what was typed: the run folder knows the rest."""
    typed = {name: given[name] for name in ("neurons", "layers", "transpose") if given[name] is not None}
    errors, names = [], [given["which"]] if given["which"] else list(MODELS)
    for name in names:
        try:
            make_model(name, typed)
        except OptionError as error:
            errors.append(error)
    if len(errors) == len(names):  # a value that makes no sense to any model is said now, not after reading
        raise errors[-1]
    return given["which"], typed


def _training(given: dict[str, Any]) -> dict[str, Any]:
    """Fields of TrainOptions, only what was typed."""
    names = ("epochs", "batch_size", "held_out", "seed")
    typed: dict[str, Any] = {name: given[name] for name in names if given.get(name) is not None}
    TrainOptions(**typed)
    return typed
