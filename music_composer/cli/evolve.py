"""`music-composer midi evolve`: networks evolved by a genetic algorithm, under the names that bach_generator gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from music_composer.cli.options import CLUSTER, DEBUG, FOLDER, SEED, begin, option, with_options
from music_composer.cli.render import RENDER, check_sound, render_written
from music_composer.cli.sections import SectionedCommand, under
from music_composer.genetic.options import (
    ACTIVATIONS,
    DEFAULT_MUTATIONS,
    FITNESSES,
    KINDS,
    MUTATIONS,
    RHYTHMS,
    EvolveOptions,
)
from music_composer.records import from_names

DEFAULTS = tuple(DEFAULT_MUTATIONS.items())


def _choice(field: str, *names: str, choices: tuple[str, ...], help: str) -> Any:
    return option(EvolveOptions, field, *names, type=click.Choice(choices), help=help)


@click.command(cls=SectionedCommand)
@with_options(
    click.argument("files", nargs=-1, required=True, type=FOLDER),
    under(
        "Notes",
        _choice("rhythm", "--rhythm", "-r", choices=RHYTHMS, help="The files' own, or all in sixteenths."),
        option(
            EvolveOptions, "chords", "--chords", is_flag=True, help="Re-pitch chords too, instead of leaving them out."
        ),
        option(
            EvolveOptions,
            "all_parts",
            "--all-parts",
            is_flag=True,
            help="Re-pitch all parts, instead of the second (the first, where there is one).",
        ),
        click.option(
            "--part",
            type=int,
            metavar="N",
            help="Re-pitch this part, as `midi info FILE` numbers them.  "
            "[default: the second; the next, where that is chords]",
        ),
    ),
    under(
        "Networks",
        option(EvolveOptions, "inputs", "--inputs", "-i", type=int, help="Notes that a network reads at a time."),
        option(EvolveOptions, "layers", "--layers", "-l", type=int, help="Hidden layers."),
        _choice(
            "layer_type", "--layer-type", "-lt", choices=KINDS, help="Nodes that add up (matrix) or average (object)."
        ),
        option(EvolveOptions, "layer_size", "--layer-size", "-ls", type=int, help="Nodes in a hidden layer."),
        _choice("activation", "--activation", choices=ACTIVATIONS, help="Of the hidden layers."),
        click.option("--load", type=FOLDER, help="Begin with the networks of a models.json."),
        click.option("--load-best", type=click.IntRange(1), help="With so many of them.  [default: all]"),
    ),
    under(
        "Evolution",
        option(EvolveOptions, "generations", "--generations", "-g", type=int, help="Generations to evolve."),
        option(EvolveOptions, "models", "--models", "-m", type=int, help="Networks to begin with."),
        option(EvolveOptions, "select_models", "--select-models", "-s", type=int, help="Networks that go on."),
        option(EvolveOptions, "clones", "--clones", "-c", type=int, help="Clones of each of them."),
        click.option(
            "--weight-jumble-by",
            "-wj",
            "weight_jumble_by",
            type=click.Choice(MUTATIONS),
            help=f"How clones differ.  [default: {', '.join(f'{how} for {kind}' for kind, how in DEFAULTS)}]",
        ),
        option(EvolveOptions, "weight_divergence", "--weight-divergence", "-wd", type=float, help="By how much."),
        option(EvolveOptions, "crossover", "--crossover", type=float, help="Share of the clones with two parents."),
        option(
            EvolveOptions,
            "tournament",
            "--tournament",
            type=int,
            help="Networks that compete for each place; 0: the best are selected.",
        ),
        _choice(
            "fitness",
            "--fitness",
            choices=FITNESSES,
            help="Similarity to the notes of the files, or to their style less the copied share.",
        ),
        click.option("--parallel", "-p", is_flag=True, help="Use all cores; worth it from 10,000 networks on."),
        SEED,
    ),
    under(
        "Output",
        click.option(
            "--output-dir",
            "-o",
            "output",
            type=FOLDER,
            default=Path("outputs"),
            show_default=True,
            help="Folder of the run folders.",
        ),
        option(
            EvolveOptions,
            "write_interval",
            "--write-interval",
            "-wi",
            type=int,
            help="Generations between two MIDI files of the best network.",
        ),
        click.option("--save", is_flag=True, help="Write the networks that were selected last to models.json."),
    ),
    under("Rendering", *RENDER),
    CLUSTER,
    DEBUG,
)
def evolve(**given: Any) -> None:
    """Evolve networks that read the notes of MIDI files and play others in their place.

    The best network's music, a picture of the ratings, and with --save the networks go into a folder of their own.
    """
    from music_composer.pipelines.requests import EvolveRequest

    request = from_names(EvolveRequest, given)
    check_sound(given)
    from music_composer.pipelines import evolve as evolve_midi

    render_written(evolve_midi.evolve_files(request, begin(given)), given)
