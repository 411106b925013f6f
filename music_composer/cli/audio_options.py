"""The options of the commands for recordings."""

from __future__ import annotations

import click

from music_composer.audio.options import HEADS, ModelOptions
from music_composer.audio.play_options import SUBTYPES, GenerateOptions, InfillOptions
from music_composer.cli.options import (
    FOLDER,
    FRESH,
    OVERWRITE,
    SEED,
    WAIT,
    option,
)
from music_composer.cli.sections import under
from music_composer.data.options import FolderOptions
from music_composer.training.options import TrainOptions

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
