"""Writes docs/cli.md, the reference of the command line, from the click objects: `python docs/generate_cli.py`.

Only names, help texts, types and defaults are taken from click, so the page does not depend on click's version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

PAGE = Path(__file__).with_name("cli.md")
PROGRAM = "music-composer"
INTRODUCTION = f"""# Command line

Every command and every option. This page is generated from the help of the commands: `python docs/generate_cli.py`.
The guides show tasks: [audio](guide-audio.md), [MIDI](guide-midi.md).

- `{PROGRAM} COMMAND --help` prints the same for one command.
- Errors are one line that names the file, the value and the way out. `--debug` adds the traceback.
- The exit code is 0 for success, 1 for an error, 2 for a wrong option and 130 after Ctrl-C or SIGTERM.
- Results, as of `info`, `score` and `evaluate`, go to standard output. Messages and progress go to standard error.
"""
STATED = re.compile(r"\s*\[default: (.*)\]$", re.DOTALL)  # a default in words, at the end of a help text


def page() -> str:
    """The whole page."""
    from music_composer.cli.commands import cli
    from music_composer.web.command import web

    commands = [*commands_of(cli, PROGRAM), (f"{PROGRAM} {web.name}", web)]
    contents = [f"- [`{name}`](#{name.replace(' ', '-')}): {summary_of(command)}" for name, command in commands]
    sections = [section_of(name, command) for name, command in commands]
    return "\n".join([INTRODUCTION, *contents, "", *sections])


def commands_of(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it with their full names, in the order of their names."""
    yield name, command
    if isinstance(command, click.Group):
        for each in sorted(command.commands):
            yield from commands_of(command.commands[each], f"{name} {each}")


def section_of(name: str, command: click.Command) -> str:
    """The part of the page about one command."""
    arguments = [argument_of(each) for each in command.params if isinstance(each, click.Argument)]
    below = ["[COMMAND]"] if isinstance(command, click.Group) else []
    usage = " ".join([name, "[OPTIONS]", *arguments, *below])
    lines = [f"## `{name}`", "", *paragraphs_of(command), f"```\n{usage}\n```", ""]
    for title, options in groups_of(command):
        lines += [f"**{title}**", ""] if title else []
        lines += ["| option | meaning | default |", "|---|---|---|", *map(row_of, options), ""]
    return "\n".join(lines)


def groups_of(command: click.Command) -> list[tuple[str, Sequence[click.Option]]]:
    """The options of a command by their headings."""
    from music_composer.cli.sections import sections_of

    return sections_of(command, command.params)


def paragraphs_of(command: click.Command) -> list[str]:
    """The help of a command, each paragraph with an empty line after it."""
    paragraphs = (command.help or "").split("\n\n")
    return [line for each in paragraphs if each.strip() for line in (" ".join(each.split()), "")]


def summary_of(command: click.Command) -> str:
    """The first paragraph of a command's help."""
    return paragraphs_of(command)[0]


def argument_of(argument: click.Argument) -> str:
    """An argument as the usage line has it."""
    name = (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def row_of(option: click.Option) -> str:
    """The line of one option in a table."""
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len))
    if option.secondary_opts:
        names += f" / `{option.secondary_opts[0]}`"
    value = "" if option.is_flag else f" {value_of(option)}"
    help_text = " ".join((option.help or "").split())
    meaning = STATED.sub("", help_text)
    return f"| {names}{value} | {meaning}{choices_of(option)} | {default_of(option)} |".replace("  ", " ")


def value_of(option: click.Option) -> str:
    """What stands for the value of an option."""
    if option.metavar:
        return option.metavar
    kinds = ((click.Choice, "NAME"), (click.types.IntParamType, "N"), (click.types.FloatParamType, "X"))
    named = next((word for kind, word in kinds if isinstance(option.type, kind)), None)
    return named or ("PATH" if isinstance(option.type, click.Path) else "TEXT")


def choices_of(option: click.Option) -> str:
    """The values that an option takes, as a sentence; nothing where any is taken."""
    if isinstance(option.type, click.Choice):
        return f" One of {', '.join(f'`{each}`' for each in option.type.choices)}."
    return ""


def default_of(option: click.Option) -> str:
    """The default of an option, in its own words where its help states one."""
    stated = STATED.search(" ".join((option.help or "").split()))
    if stated:
        return stated[1]
    if option.is_flag and option.secondary_opts:
        return f"`{(option.opts if option.default else option.secondary_opts)[0]}`"
    if option.is_flag or not option.show_default or option.default in (None, ""):
        return ""
    return f"`{option.default}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
