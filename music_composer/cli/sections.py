"""Help whose options stand in sections with headings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

OTHERS = "Other options"
Decorator = Callable[..., Any]


def under(heading: str, *options: Decorator) -> Decorator:
    """The options as one decorator; in the help they stand below this heading."""

    def wrap(command: Any) -> Any:
        for each in reversed(options):
            command = each(command)
            command.__click_params__[-1].heading = heading  # click appends what a decorator adds
        return command

    return wrap


def sections_of(command: click.Command, parameters: Sequence[click.Parameter]) -> list[tuple[str, list[click.Option]]]:
    """The options of a command by their headings, in the order in which these first come; those without one last."""
    sections: dict[str, list[click.Option]] = {}
    for each in parameters:
        if isinstance(each, click.Option) and not each.hidden:
            sections.setdefault(getattr(each, "heading", OTHERS), []).append(each)
    others = sections.pop(OTHERS, [])
    return [*sections.items(), *([(OTHERS, others)] if others else [])]


class SectionedCommand(click.Command):
    """A command whose help has sections."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_sections(self, ctx, formatter)


class SectionedGroup(click.Group):
    """The same for a command with others below it."""

    command_class = SectionedCommand

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_sections(self, ctx, formatter)
        self.format_commands(ctx, formatter)


def _write_sections(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    for heading, options in sections_of(command, command.get_params(context)):
        records = [record for each in options if (record := each.get_help_record(context))]
        with formatter.section(heading):
            formatter.write_dl(records)
