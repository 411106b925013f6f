"""All commands: those for recordings, and the groups of others. Each reads its options and calls one pipeline."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeVar

import click

import music_composer
from music_composer.audio.options import EvaluateOptions
from music_composer.cli.audio_options import (
    DATASETS,
    ENDLESS,
    FOLDERS,
    FROM_MIDI,
    INFILL,
    LAYERS,
    MODEL,
    NEURONS,
    PLAYS,
    PREPARING,
    PROMPTS,
    SAMPLING,
    STREAM,
    TRAINDATA,
    TRAINING,
    WRITING,
)
from music_composer.cli.midi import midi
from music_composer.cli.options import (
    CLUSTER,
    DEBUG,
    FOLDER,
    JSON,
    OVERWRITE,
    SAMPLE_EVERY,
    SEED,
    SEED_NUMBER,
    SEED_OF_DEMO,
    SETTINGS,
    begin,
    echo,
    echo_info,
    is_typed,
    option,
    refuse_before_subcommand,
    with_options,
)
from music_composer.cli.render import SOUND, sound_of
from music_composer.cli.sections import SectionedGroup, under
from music_composer.data.options import FolderOptions
from music_composer.errors import OptionError
from music_composer.records import from_names
from music_composer.stopping import regular_end

T = TypeVar("T")
# What makes no sense together, or alone: said, not silently left out.
EXCLUDE = {
    "blend": ("prompts",),
    "infill": ("prompts", "blend", "include_prompt", "seconds", "count", "cluster"),
    "stream": ("infill", "count", "cluster"),
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
@with_options(
    under("From MIDI files", FROM_MIDI, *SOUND), FOLDERS, TRAINING, PROMPTS, SAMPLING, WRITING, CLUSTER, DEBUG
)
@click.version_option(music_composer.__version__)
@click.pass_context
def cli(context: click.Context, **given: Any) -> None:
    """Learns music from a folder of recordings, and continues it.

    Put recordings into input_music_dataset/ and run `music-composer`: it prepares them, trains, and writes
    continuations. Run again, it trains further. The commands below do one step each, with the same options.
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
        render.render_files(RenderRequest((given["from_midi"],), rendered, sound_of(given)), begin(given))
    compose.compose(request, begin(given))


@cli.command()
@with_options(PREPARING, CLUSTER, DEBUG)
def prepare(**given: Any) -> None:
    """Cut the recordings into frames (only what has changed)."""
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import PrepareRequest

    compose.prepare(from_names(PrepareRequest, given), begin(given))


@cli.command()
@with_options(FOLDERS, TRAINING, under("Training", SAMPLE_EVERY, SEED), CLUSTER, DEBUG)
@click.pass_context
def train(context: click.Context, **given: Any) -> None:
    """Prepare the recordings and train. Existing weights are trained further."""
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.audio.requests import TrainRequest

    compose.train(_request(TrainRequest, context, given), begin(given))


@cli.command()
@with_options(
    FOLDERS,
    under("Model", PLAYS, NEURONS, LAYERS),
    PROMPTS,
    under("Filling a gap", *INFILL),
    under("Streaming", STREAM, ENDLESS),
    SAMPLING,
    WRITING,
    CLUSTER,
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
            play_audio.stream(_request(StreamRequest, context, given), begin())
        elif given["infill"]:
            play_audio.infill(_request(InfillRequest, context, {**given, "recording": given["infill"]}), begin())
        else:
            play_audio.generate(_request(GenerateRequest, context, given), begin(given))


@cli.command()
@click.option("-o", "--output", "folder", type=FOLDER, default=Path("demo"), show_default=True, help="Folder to make.")
@with_options(SEED_OF_DEMO, OVERWRITE, DEBUG)
def demo(**given: Any) -> None:
    """Compose a little music, learn it, continue it, and show it on a page: under 4 minutes."""
    from music_composer.pipelines.audio import demo as journey

    page = journey.run_demo(given["folder"], given["seed"], given["overwrite"], begin())
    echo(f"open {page}")


@cli.command()
@with_options(
    FOLDERS,
    under(
        "What is judged",
        PLAYS,
        option(EvaluateOptions, "count", "-g", "--generated-music-num", type=int, help="Continuations to evaluate."),
        option(EvaluateOptions, "seconds", "-s", "--seconds-to-generate", type=float, help="New music in each."),
        option(EvaluateOptions, "long_count", "--long-num", type=int, help="Long continuations, for drift; 0: none."),
        option(EvaluateOptions, "long_seconds", "--long-seconds", type=float, help="New music in each long one."),
        option(EvaluateOptions, "cut_count", "--cuts", type=int, help="Cuts at which continuity is measured."),
        option(EvaluateOptions, "seed", "--seed", type=SEED_NUMBER, help="The same seed gives the same music."),
        click.option("--generated", type=FOLDER, help="Evaluate these recordings instead of new continuations."),
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
    CLUSTER,
    DEBUG,
)
def evaluate(**given: Any) -> None:
    """Evaluate the model on held-out music: distance, drift, copying, speed. Writes a page."""
    if bool(given["generated"]) != bool(given["reference"]):
        raise click.UsageError("--generated and --reference go together: what is judged, and by what")
    from music_composer.pipelines.audio import evaluate as judge
    from music_composer.pipelines.audio.requests import EvaluateRequest

    echo(str(judge.evaluate(from_names(EvaluateRequest, given), begin(given))))


@cli.command()
@with_options(under("Folders", DATASETS, TRAINDATA, MODEL), JSON, DEBUG)
def info(**given: Any) -> None:
    """Say what is in the dataset, the cache and the run folder."""
    from music_composer.pipelines.info import describe, lines_of

    folders = from_names(FolderOptions, given)
    begin()
    echo_info(describe(folders), lines_of, given["json"])


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
