"""The door: options are read, one library function is called, errors become one line. Imports nothing heavy."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeVar

import click

import music_composer
from music_composer.cli.midi import midi
from music_composer.cli.options import (
    DEBUG,
    FOLDER,
    FRESH,
    OVERWRITE,
    SEED,
    SEED_NUMBER,
    SETTINGS,
    WAIT,
    echo,
    is_typed,
    option,
    refuse_before_subcommand,
    terminal,
    with_options,
)
from music_composer.cli.render import SOUND, sound_of
from music_composer.cli.sections import SectionedGroup, under
from music_composer.errors import OptionError
from music_composer.options import (
    HEADS,
    SUBTYPES,
    EvaluateOptions,
    FolderOptions,
    GenerateOptions,
    InfillOptions,
    ModelOptions,
    TrainOptions,
)
from music_composer.records import from_names
from music_composer.stopping import regular_end

T = TypeVar("T")
DATASETS = option(
    FolderOptions, "datasets", "-d", "--datasets-folder-path", type=FOLDER,
    help="Recordings to learn from: WAV, FLAC, OGG, MP3, AIFF; subfolders too.",
)  # fmt: skip
TRAINDATA = option(
    FolderOptions, "traindata", "-t", "--traindata-folder-path", type=FOLDER, help="The cache of FFT frames."
)
MODEL = option(FolderOptions, "model", "-m", "--model-folder-path", type=FOLDER, help="The run folder.")
FITTING = "[default: by how much music there is]"
NEURONS = click.option(
    "-n", "--hidden-layer-neurons", "neurons", type=int, help=f"Width of the LSTM layers.  {FITTING}"
)
LAYERS = click.option("-l", "--hidden-layer-count", "layers", type=int, help=f"Number of LSTM layers.  {FITTING}")
HEAD = option(
    ModelOptions, "head", "--head", type=click.Choice(HEADS),
    help="What plays. `flow` trains a network, `memory` plays the music again and trains nothing, `auto` does both and "
    "plays what goes on better with held-out music; `regression` is the older recipe.",
)  # fmt: skip
PLAYS = click.option(
    "--head", default="auto", type=click.Choice(HEADS),
    help="What plays, where the run folder has a network and a memory.  [default: what was chosen after training]",
)  # fmt: skip
EPOCHS = click.option("-e", "--epochs", type=int, help=f"Passes over the music in this run.  {FITTING}")
BATCH = option(TrainOptions, "batch_size", "-b", "--batch-size", type=int, help="Windows in a batch.")
NAME = option(
    GenerateOptions, "name", "-o", "--output-music-name", help="NAME-0.wav, NAME-1.wav, ...; may contain a folder."
)
SECONDS = option(
    GenerateOptions, "seconds", "-s", "--seconds-to-generate", type=float, help="New music in each continuation."
)
COUNT = option(GenerateOptions, "count", "-g", "--generated-music-num", type=int, help="How many continuations.")
PROMPT = click.option(
    "--prompt", "prompts", multiple=True, type=FOLDER,
    help="Continue this recording; repeatable, used in turn.  [default: random excerpts of the dataset]",
)  # fmt: skip
BLEND = click.option(
    "--blend", nargs=2, type=FOLDER, metavar="A B", help="Continue a mixture of these two recordings instead."
)
BLEND_SHARE = option(
    GenerateOptions, "blend_share", "--blend-share", type=float, help="Share of B in the mixture: 0 is A, 1 is B."
)
INFILL = [
    click.option("--infill", type=FOLDER, metavar="FILE", help="Fill a gap in this recording instead."),
    click.option("--from", "gap_start", type=float, metavar="S", help="Second at which the gap begins."),
    click.option("--to", "gap_stop", type=float, metavar="S", help="Second at which it ends."),
    option(InfillOptions, "candidates", "--candidates", type=int, help="Fillings to choose the best from."),
]
STREAM = click.option("--stream", is_flag=True, help="Play one sample while it is made; -o - is standard output.")
ENDLESS = click.option("--endless", is_flag=True, help="With --stream: play until Ctrl-C, or until nobody listens.")
INCLUDE = click.option("--include-prompt", is_flag=True, help="Write the whole prompt before its continuation.")
SUBTYPE = option(GenerateOptions, "subtype", "--subtype", type=click.Choice(SUBTYPES), help="Sample format.")
GUARD = option(
    GenerateOptions, "guard", "--guard/--no-guard", help="Keep --head memory from copying and from going in circles."
)
TEMPERATURE = option(GenerateOptions, "temperature", "--temperature", type=float, help="Spread of the sampling.")
FROM_MIDI = click.option(
    "--from-midi", type=FOLDER, metavar="FOLDER", help="First render these MIDI files into the folder of recordings."
)
PREPARING = under("Folders", DATASETS, TRAINDATA, WAIT)
FOLDERS = under("Folders", DATASETS, TRAINDATA, MODEL, WAIT)
TRAINING = under("Training", NEURONS, LAYERS, HEAD, EPOCHS, BATCH, FRESH)
PROMPTS = under("Prompts", PROMPT, BLEND, BLEND_SHARE, INCLUDE)
SAMPLING = under("Sampling", SECONDS, COUNT, TEMPERATURE, GUARD, SEED)
WRITING = under("Output", NAME, SUBTYPE, OVERWRITE)
# What makes no sense together, or alone: said, not silently left out.
EXCLUDE = {
    "blend": ("prompts",),
    "infill": ("prompts", "blend", "include_prompt", "seconds", "count"),
    "stream": ("infill", "count"),
    "endless": ("seconds",),
}
NEED = {
    "blend_share": ("blend",),
    "infill": ("gap_start", "gap_stop"),
    "gap_start": ("infill",),
    "gap_stop": ("infill",),
    "candidates": ("infill",),
    "endless": ("stream",),
    "voices": ("from_midi",),
    "soundfont": ("from_midi",),
}


@click.group(cls=SectionedGroup, invoke_without_command=True, context_settings=SETTINGS)
@with_options(under("From MIDI files", FROM_MIDI, *SOUND), FOLDERS, TRAINING, PROMPTS, SAMPLING, WRITING, DEBUG)
@click.version_option(music_composer.__version__)
@click.pass_context
def cli(context: click.Context, **given: Any) -> None:
    """Learns music from a folder of recordings, and goes on playing.

    Put recordings into input_music_dataset/ and run `music-composer`: it prepares them, trains, and writes
    continuations. Run again, it trains further. The commands below do one leg each, with the same options.
    """
    if context.invoked_subcommand:
        refuse_before_subcommand(context, given)
        return
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import ComposeRequest

    request = _request(ComposeRequest, context, given)
    if given["from_midi"]:
        from music_composer.pipelines import render
        from music_composer.pipelines.requests import RenderRequest

        # In a folder of their own, where no recording of the user's can have the same name.
        rendered = request.folders.datasets / "from-midi"
        render.render_files(RenderRequest((given["from_midi"],), rendered, sound_of(given)), terminal())
    compose.compose(request, terminal())


@cli.command()
@with_options(PREPARING, DEBUG)
def prepare(**given: Any) -> None:
    """Cut the recordings into frames (only what has changed)."""
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import PrepareRequest

    compose.prepare(from_names(PrepareRequest, given), terminal())


@cli.command()
@with_options(FOLDERS, TRAINING, under("Training", SEED), DEBUG)
@click.pass_context
def train(context: click.Context, **given: Any) -> None:
    """Prepare, then train; further, where there are weights."""
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import TrainRequest

    compose.train(_request(TrainRequest, context, given), terminal())


@cli.command()
@with_options(
    FOLDERS,
    under("Model", PLAYS, NEURONS, LAYERS),
    PROMPTS,
    under("Filling a gap", *INFILL),
    under("Streaming", STREAM, ENDLESS),
    SAMPLING,
    WRITING,
    DEBUG,
)
@click.pass_context
def generate(context: click.Context, **given: Any) -> None:
    """Write continuations with the trained model."""
    # From before the libraries are loaded, which takes seconds: being stopped is how an endless stream ends.
    with regular_end() if given["endless"] else contextlib.nullcontext():
        from music_composer.pipelines.audio import generate as play_audio
        from music_composer.pipelines.audio.requests import GenerateRequest, InfillRequest, StreamRequest

        if given["stream"]:
            play_audio.stream(_request(StreamRequest, context, given), terminal())
        elif given["infill"]:
            play_audio.infill(_request(InfillRequest, context, {**given, "recording": given["infill"]}), terminal())
        else:
            play_audio.generate(_request(GenerateRequest, context, given), terminal())


@cli.command()
@click.option("-o", "--output", "folder", type=FOLDER, default=Path("demo"), show_default=True, help="Folder to make.")
@with_options(click.option("--seed", type=SEED_NUMBER, default=1, show_default=True), OVERWRITE, DEBUG)
def demo(**given: Any) -> None:
    """Compose a little music, learn it, continue it, and show it on a page: under 4 minutes."""
    from music_composer.pipelines.audio import demo as journey

    page = journey.run_demo(given["folder"], given["seed"], given["overwrite"], terminal())
    echo(f"open {page}")


@cli.command()
@with_options(
    FOLDERS,
    under(
        "What is judged",
        PLAYS,
        option(EvaluateOptions, "count", "-g", "--generated-music-num", type=int, help="Continuations to judge."),
        option(EvaluateOptions, "seconds", "-s", "--seconds-to-generate", type=float, help="New music in each."),
        option(EvaluateOptions, "long_count", "--long-num", type=int, help="Long continuations, for drift; 0: none."),
        option(EvaluateOptions, "long_seconds", "--long-seconds", type=float, help="New music in each long one."),
        option(EvaluateOptions, "cut_count", "--cuts", type=int, help="Places at which going on is judged."),
        option(EvaluateOptions, "seed", "--seed", type=SEED_NUMBER, help="The same seed gives the same music."),
        click.option("--generated", type=FOLDER, help="Judge these recordings instead of new continuations."),
    ),
    under(
        "What it is judged by",
        click.option("--held-out", type=FOLDER, help="Music that was not trained on.  [default: part of the dataset]"),
        click.option("--reference", type=FOLDER, help="Other recordings; goes with --generated."),
    ),
    under(
        "Output",
        option(EvaluateOptions, "output", "-o", "--output", type=FOLDER, help="Folder of the scorecard."),
        OVERWRITE,
    ),
    DEBUG,
)
def evaluate(**given: Any) -> None:
    """Judge the model by music that it never heard: distance, drift, copying, speed. Writes a page."""
    if bool(given["generated"]) != bool(given["reference"]):
        raise click.UsageError("--generated and --reference go together: what is judged, and by what")
    from music_composer.pipelines.audio import evaluate as judge
    from music_composer.pipelines.audio.requests import EvaluateRequest

    for line in judge.evaluate(from_names(EvaluateRequest, given), terminal()).lines:
        echo(line)


@cli.command()
@with_options(under("Folders", DATASETS, TRAINDATA, MODEL), DEBUG)
def info(**given: Any) -> None:
    """Say what is in the dataset, the cache and the run folder."""
    from music_composer.pipelines.info import describe

    for line in describe(from_names(FolderOptions, given)):
        echo(line)


cli.add_command(midi)


def _request(record: type[T], context: click.Context, given: dict[str, Any]) -> T:
    """A request from what was given. Of the network only what was typed counts: the run folder knows the rest."""
    _check_together(context, given)
    left = {name: None for name in ("neurons", "layers", "head") if not is_typed(context, name)}
    return from_names(record, {**given, **left, "blend": given.get("blend") or ()})


def _check_together(context: click.Context, given: dict[str, Any]) -> None:
    """Refuses options that exclude each other, and those that do nothing without another."""
    flags = {each.name: each.opts[-1] for each in context.command.params}
    typed = {name for name in given if is_typed(context, name)}
    if given.get("name") == "-" and not given.get("stream"):
        raise OptionError("-o - needs --stream: only music that is played while it is made goes to standard output")
    for name in sorted(typed.intersection(EXCLUDE)):
        for other in sorted(typed.intersection(EXCLUDE[name])):
            raise OptionError(f"{flags[name]} and {flags[other]} exclude each other: give one of them")
    for name in sorted(typed.intersection(NEED)):
        for other in sorted(set(NEED[name]) - typed):
            raise OptionError(f"{flags[name]} does nothing without {flags[other]}: give that too")
