"""Help stands in sections: no option is lost, and none is without a heading but those that every command has."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from music_composer.cli.commands import cli
from music_composer.cli.sections import OTHERS, SectionedCommand, SectionedGroup, sections_of, under

COMMON = {"--debug", "--json", "--version", "--help", "--output", "--overwrite", "--seed"}


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for each in command.commands:
            yield from commands(command.commands[each], f"{name} {each}")


ALL = list(commands(cli, "music-composer"))


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_option_is_in_one_section(name: str, command: click.Command) -> None:
    assert isinstance(command, SectionedCommand | SectionedGroup)
    context = click.Context(command, info_name=name)
    help_text = command.get_help(context)
    sections = sections_of(command, command.get_params(context))
    for heading, options in sections:
        assert f"\n{heading}:\n" in help_text
        for option in options:
            assert any(f" {flag}" in help_text for flag in option.opts)
    flat = [option for _, options in sections for option in options]
    assert len(flat) == len(set(flat)) == sum(isinstance(each, click.Option) for each in command.get_params(context))
    others = {option.opts[-1] for option in dict(sections).get(OTHERS, [])}
    assert others <= COMMON


def test_headings_come_in_the_order_of_their_first_options_and_others_last() -> None:
    one, two, three = (click.option(f"--{name}") for name in ("one", "two", "three"))

    @click.command(cls=SectionedCommand)
    @click.option("--other")
    @under("B", one)
    @under("A", two)
    @under("B", three)
    def command() -> None: ...

    found = [(heading, [each.name for each in options]) for heading, options in sections_of(command, command.params)]
    assert found == [("B", ["one", "three"]), ("A", ["two"]), (OTHERS, ["other"])]
