"""Options as the command line knows them, each with the default of its record, and what becomes of typed ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from music_composer.cli.sections import under
from music_composer.cluster.options import ClusterOptions
from music_composer.options import MOST_SEED, default

if TYPE_CHECKING:
    from music_composer.context import Context

T = TypeVar("T")
Command = Callable[..., Any]
CHECK = "check"  # the object of click's context while a command is only checked
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


class NamedPath(click.Path):
    """A path that says something: an empty one would be the current folder, which nobody has asked for."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if str(value) == "" and isinstance(value, str):
            self.fail("is empty: give a name, or . for the current folder", parameter, context)
        return super().convert(value, parameter, context)


FOLDER = NamedPath(path_type=Path)


class Checked(Exception):
    """A command that was only to be checked has understood all of its options."""


def begin(given: Mapping[str, Any] = MappingProxyType({})) -> Context:
    """Returns where a command says what it does and how far it is, and the cluster that it was given.

    A command asks for it last, when its request is made, so a check ends here. Raises Checked then.
    """
    from music_composer import progress

    cluster = ClusterOptions(given.get("cluster"), given.get("workers"))
    if click.get_current_context().find_root().obj == CHECK:
        raise Checked
    context = progress.of_command()
    if cluster.address is None:
        return context
    from music_composer.cluster.ray_engine import Ray

    engine = Ray(cluster)
    click.get_current_context().call_on_close(engine.close)
    return dataclasses.replace(context, executor=engine)


def echo(line: str) -> None:
    """A line of a result, on standard output."""
    from music_composer.printable import printable

    click.echo(printable(line))


def echo_info(info: T, lines_of: Callable[[T], list[str]], as_json: bool) -> None:
    """Prints what was found: a line each, or all as JSON."""
    from music_composer.records import to_json

    for line in [to_json(info)] if as_json else lines_of(info):
        echo(line)


def option(record: type, field: str, *names: str, help: str, **more: Any) -> Command:
    """An option whose default is the field's."""
    return click.option(*names, field, default=default(record, field), show_default=True, help=help, **more)


def with_options(*options: Command) -> Callable[[Command], Command]:
    def wrap(command: Command) -> Command:
        for each in reversed(options):
            command = each(command)
        return command

    return wrap


SEED_NUMBER = click.IntRange(0, MOST_SEED)
SEED = click.option("--seed", type=SEED_NUMBER, help="The same seed gives the same music.  [default: random]")
SEED_OF_DEMO = click.option(
    "--seed", type=SEED_NUMBER, default=1, show_default=True, help="The same seed gives the same music."
)
DEBUG = click.option("--debug", is_flag=True, help="Show tracebacks instead of one line.")
JSON = click.option("--json", is_flag=True, help="Print one JSON object instead of lines.")
FRESH = click.option("--fresh", is_flag=True, help="Start anew instead of training existing weights further.")

SAMPLE_EVERY = click.option(
    "--sample-every", type=click.IntRange(min=0), default=0, show_default=True,
    help="Epochs between two samples, kept with their weights in the run folder; 0: none.",
)  # fmt: skip
CLUSTER = under(
    "Cluster",
    click.option(
        "--cluster", metavar="ADDRESS",
        help="Work on a Ray cluster: HOST:PORT of its head, ray://HOST:PORT of its client server, or `local` for one "
        "that ends with the command.",
    ),
    click.option(
        "--workers", type=click.IntRange(min=1),
        help="Processes of the cluster at work at a time.  [default: all; in training one for each GPU, or machine]",
    ),
)  # fmt: skip
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace files that this program did not write, too.")
WAIT = click.option("--wait", is_flag=True, help="Wait where another run is at work in the same folder.")


def by_model(records: Mapping[str, Any], field: str) -> str:
    """What the default of a field is, where each model has its own, for the help."""
    defaults = [f"{getattr(record, field)} for {name}" for name, record in records.items() if hasattr(record, field)]
    return f"[default: {', '.join(defaults)}]"


def is_typed(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def refuse_before_subcommand(context: click.Context, given: dict[str, Any]) -> None:
    typed = [name for name in given if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
    if typed:
        raise click.UsageError(f"put options after `{context.invoked_subcommand}`, not before it")
