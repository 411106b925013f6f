"""`music-composer midi`: the symbolic backend, with the same words and letters as the audio side where they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from music_composer.cli.evolve import evolve
from music_composer.cli.midi_options import PLAYING, TASTE
from music_composer.cli.options import (
    DEBUG,
    FOLDER,
    FRESH,
    JSON,
    OVERWRITE,
    SAMPLE_EVERY,
    SEED,
    SEED_NUMBER,
    SEED_OF_DEMO,
    SETTINGS,
    WAIT,
    begin,
    by_model,
    echo,
    echo_info,
    option,
    refuse_before_subcommand,
    with_options,
)
from music_composer.cli.render import RENDER, check_sound, render, render_written
from music_composer.cli.sections import SectionedGroup, under
from music_composer.data.options import FolderOptions
from music_composer.records import from_names
from music_composer.symbolic.options import (
    DEFAULT_MODEL,
    MODELS,
    TRAINING,
    JudgeOptions,
)
from music_composer.training.options import TrainOptions

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
    help="Share of the pieces that is held out of training.",
)  # fmt: skip
FOLDERS = under("Folders", DATASETS, TRAINDATA, MODEL, WAIT)
LEARNING = under("Training", WHICH, NEURONS, LAYERS, TRANSPOSE, EPOCHS, BATCH, HELD_OUT, FRESH)
RENDERING = under("Rendering", *RENDER)


@click.group(cls=SectionedGroup, invoke_without_command=True, context_settings=SETTINGS)
@with_options(FOLDERS, LEARNING, *PLAYING, RENDERING, DEBUG)
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
    from music_composer.pipelines.symbolic.requests import ComposeRequest

    render_written(compose.compose(from_names(ComposeRequest, given), begin()), given)


midi.add_command(evolve)
midi.add_command(render)


@midi.command()
@with_options(under("Folders", DATASETS, TRAINDATA, WAIT), DEBUG)
def prepare(**given: Any) -> None:
    """Read the MIDI files, only what has changed."""
    from music_composer.pipelines.symbolic import compose
    from music_composer.pipelines.symbolic.requests import PrepareRequest

    compose.prepare(from_names(PrepareRequest, given), begin())


@midi.command()
@with_options(click.argument("files", nargs=-1, type=FOLDER), under("Folders", DATASETS, TRAINDATA, MODEL), JSON, DEBUG)
def info(files: tuple[Path, ...], **given: Any) -> None:
    """Say what is in the dataset, the cache and the run folder; or, of FILES, which parts they have.

    Parts are numbered as --lock-track and `midi evolve --part` take them.
    """
    from music_composer.pipelines.info import describe_midi, midi_lines_of
    from music_composer.pipelines.symbolic.info import describe_files, file_lines_of

    folders = from_names(FolderOptions, given)
    begin()
    if files:
        echo_info(describe_files(files), file_lines_of, given["json"])
    else:
        echo_info(describe_midi(folders), midi_lines_of, given["json"])


@midi.command()
@with_options(
    FOLDERS,
    LEARNING,
    under("Training", SAMPLE_EVERY, SEED),
    DEBUG,
)  # fmt: skip
def train(**given: Any) -> None:
    """Train. Existing weights are trained further."""
    from music_composer.pipelines.symbolic import compose
    from music_composer.pipelines.symbolic.requests import TrainRequest

    compose.train(from_names(TrainRequest, given), begin())


@midi.command()
@with_options(under("Folders", MODEL, WAIT), *PLAYING, RENDERING, DEBUG)
def generate(**given: Any) -> None:
    """Compose with the trained model."""
    from music_composer.pipelines.symbolic import generate as play_midi
    from music_composer.pipelines.symbolic.requests import GenerateRequest

    check_sound(given, given["name"], given["count"])
    render_written(play_midi.generate(from_names(GenerateRequest, given), begin()), given)


@midi.command()
@with_options(
    FOLDERS,
    under(
        "What is judged",
        option(JudgeOptions, "count", "-g", "--num-outputs", type=int, help="Pieces to compose and evaluate."),
        option(JudgeOptions, "steps", "--num-steps", type=int, help="Sixteenths in each, at most."),
        *TASTE,
        option(JudgeOptions, "seed", "--seed", type=SEED_NUMBER, help="The same seed gives the same scorecard."),
        click.option("--generated", type=FOLDER, help="Evaluate these MIDI files instead of new pieces."),
        click.option("--reference", type=FOLDER, help="Other MIDI files to compare with; goes with --generated."),
    ),
    under(
        "Benchmark",
        click.option("--benchmark", type=FOLDER, help="Train and score on a .mat file of piano rolls with its parts."),
        WHICH,
        NEURONS,
        EPOCHS,
        BATCH,
        click.option("--members", type=click.IntRange(1), default=1, show_default=True, help="Models in the mixture."),
        click.option("--every-key", is_flag=True, help="Score a .mat file's test part under every transposition too."),
    ),
    under(
        "Output",
        option(JudgeOptions, "output", "-o", "--output", type=FOLDER, help="Folder of the scorecard."),
        OVERWRITE,
    ),
    DEBUG,
)
def evaluate(**given: Any) -> None:
    """Evaluate the music of the model on held-out pieces. Writes a page.

    With --benchmark: train, and print nats a step beside the published record.
    """
    from music_composer.pipelines.symbolic.requests import BenchmarkRequest, EvaluateRequest

    request = from_names(EvaluateRequest, given)
    if given["benchmark"]:
        from music_composer.pipelines.symbolic import benchmark

        named = {**given, "file": given["benchmark"], "folder": given["model"]}
        benchmark.evaluate_benchmark(from_names(BenchmarkRequest, named), begin())
        return
    from music_composer.pipelines.symbolic import evaluate as evaluate_midi

    echo(str(evaluate_midi.evaluate(request, begin())))


@midi.command()
@with_options(click.argument("files", nargs=-1, required=True, type=FOLDER), under("Folders", MODEL), DEBUG)
def score(files: tuple[Path, ...], **given: Any) -> None:
    """Print how likely pieces are under the trained model."""
    from music_composer.pipelines.symbolic import evaluate as evaluate_midi

    for line in evaluate_midi.score(given["model"], files, begin()):
        echo(line)


@midi.command()
@with_options(
    click.argument("file", type=FOLDER),
    under("Folders", MODEL),
    click.option(
        "-o", "--output", type=FOLDER, default=Path("midi_thoughts"), show_default=True, help="Folder of the pictures."
    ),
    OVERWRITE,
    DEBUG,
)
def observe(**given: Any) -> None:
    """Draw the activations of a biaxial model while it reads a piece."""
    from music_composer.pipelines.symbolic import observe as observe_midi

    page = observe_midi.observe_file(given["model"], given["file"], given["output"], given["overwrite"], begin())
    echo(f"open {page}")


@midi.command()
@with_options(
    click.option("-o", "--output", type=FOLDER, default=Path("midi_demo"), show_default=True, help="Folder to make."),
    OVERWRITE,
    SEED_OF_DEMO,
    DEBUG,
)
def demo(**given: Any) -> None:
    """Compose a corpus by rule, train each model on it for a minute, and show the results on a page."""
    from music_composer.pipelines.symbolic import demo as journey_midi

    page = journey_midi.run_demo(given["output"], given["seed"], given["overwrite"], begin())
    echo(f"open {page}")
