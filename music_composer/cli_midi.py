"""`music-composer midi`: the symbolic backend, with the same words and letters as the audio side where they fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from music_composer.cli_options import (
    DEBUG,
    FOLDER,
    FRESH,
    SEED,
    SETTINGS,
    is_typed,
    option,
    record_of,
    refuse_before_subcommand,
    with_options,
)
from music_composer.options import FolderOptions, TrainOptions
from music_composer.symbolic.options import VOICES_TRAINING, BoundOptions, PlayOptions, VoicesOptions

DATASETS = option(
    FolderOptions, "datasets", "-d", "--datasets-folder-path", type=FOLDER, help="MIDI files to learn from."
)
MODEL = click.option(
    "-m", "--model-folder-path", "model", type=FOLDER, default=Path("midi_model"), show_default=True,
    help="The run folder.",
)  # fmt: skip
NEURONS = option(VoicesOptions, "neurons", "-n", "--hidden-layer-neurons", type=int, help="Width of the LSTM layer.")
EPOCHS = click.option(
    "-e", "--epochs", type=int, default=VOICES_TRAINING.epochs, show_default=True,
    help="Passes over the music in this run.",
)  # fmt: skip
BATCH = click.option(
    "-b", "--batch-size", type=int, default=VOICES_TRAINING.batch_size, show_default=True, help="Pieces in a batch."
)
HELD_OUT = click.option(
    "--eval-ratio", "held_out", type=click.FloatRange(0, 0.9), default=VOICES_TRAINING.held_out, show_default=True,
    help="Share of the pieces that the model is only judged by.",
)  # fmt: skip
PLAYING = [
    option(PlayOptions, "name", "-o", "--output-music-name", help="NAME-0.mid, NAME-1.mid, ...; may contain a folder."),
    option(PlayOptions, "count", "-g", "--num-outputs", type=int, help="How many pieces."),
    option(PlayOptions, "steps", "--num-steps", type=int, help="New music in each, in sixteenths."),
    option(PlayOptions, "temperature", "--temperature", type=float, help="Spread of the sampling."),
    option(PlayOptions, "qpm", "--qpm", type=float, help="Quarter notes a minute; 0 is the primer's, or the music's."),
    option(PlayOptions, "program", "--program", type=click.IntRange(0, 127), help="Instrument of General MIDI."),
    click.option("--primer-midi", "primer", type=FOLDER, help="Go on from this file.  [default: from nothing]"),
    click.option(
        "--lock-track", "lock_tracks", type=int, multiple=True, metavar="N",
        help="Keep this track of the primer (0 is the first) and compose around it; repeatable.",
    ),
    option(PlayOptions, "from_bar", "--from-bar", type=int, help="Compose the primer's bars from this one on anew,"),
    option(PlayOptions, "to_bar", "--to-bar", type=int, help="to this one; both sides are kept."),
    option(PlayOptions, "drafts", "--drafts", type=int, help="Drafts of each piece around what is kept."),
    option(BoundOptions, "scale", "--scale", help="Notes that may sound, like 'D minor'."),
    option(BoundOptions, "range", "--range", help="From the lowest to the highest, like C3-C6 or 48-84."),
    option(BoundOptions, "max_polyphony", "--max-polyphony", type=int, help="Notes at once; 0 is any number."),
]  # fmt: skip
TRAINING = [DATASETS, MODEL, NEURONS, EPOCHS, BATCH, HELD_OUT, FRESH]


@click.group(invoke_without_command=True, context_settings=SETTINGS)
@with_options(*TRAINING, *PLAYING, SEED, DEBUG)
@click.pass_context
def midi(context: click.Context, **given: Any) -> None:
    """Learns music from a folder of MIDI files, and composes more of its kind.

    Put MIDI files into input_music_dataset/ and run `music-composer midi`: it trains, and writes MIDI files.
    """
    if context.invoked_subcommand:
        refuse_before_subcommand(context, given)
        return
    from music_composer import compose_midi

    compose_midi.compose(
        record_of(FolderOptions, given), _model_options(context, given), _training(given),
        record_of(PlayOptions, given), record_of(BoundOptions, given), given["primer"], given["fresh"],
    )  # fmt: skip


@midi.command()
@with_options(*TRAINING, SEED, DEBUG)
@click.pass_context
def train(context: click.Context, **given: Any) -> None:
    """Train; further, where there are weights."""
    from music_composer import compose_midi

    folders = record_of(FolderOptions, given)
    compose_midi.train(folders, _model_options(context, given), _training(given), given["fresh"])


@midi.command()
@with_options(MODEL, *PLAYING, SEED, DEBUG)
def generate(**given: Any) -> None:
    """Compose with the trained model."""
    from music_composer import compose_midi

    folders, playing = record_of(FolderOptions, given), record_of(PlayOptions, given)
    compose_midi.generate(folders, playing, record_of(BoundOptions, given), given["primer"])


@midi.command()
@with_options(
    click.option("--benchmark", type=FOLDER, required=True, help="A .mat file of piano rolls with its official parts."),
    MODEL,
    EPOCHS,
    BATCH,
    click.option("--members", type=click.IntRange(1), default=1, show_default=True, help="Models in the mixture."),
    click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True),
    DEBUG,
)
def evaluate(**given: Any) -> None:
    """Train and score on a benchmark file: nats a step beside the published record."""
    from music_composer import benchmark_midi

    options = _training({**given, "held_out": VOICES_TRAINING.held_out})
    benchmark_midi.evaluate_benchmark(given["benchmark"], given["model"], options, given["members"])


def _model_options(context: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """Only what was typed: the run folder knows the rest."""
    typed = {"neurons": given["neurons"]} if is_typed(context, "neurons") else {}
    VoicesOptions(**typed)  # a value that makes no sense is said now, not after reading
    return typed


def _training(given: dict[str, Any]) -> TrainOptions:
    names = ("epochs", "batch_size", "held_out", "seed")
    return dataclasses.replace(VOICES_TRAINING, **{name: given[name] for name in names})
