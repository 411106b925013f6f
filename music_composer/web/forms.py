"""Forms made from the commands of click, and the words of a command made from a filled form; nothing is declared twice.

forms()        every command with its options, for the page
rooms()        the cards of the page, and in which room every other command is
words_of(...)  the words behind `music-composer`, from values by the names of the options
values_of(...) and back
blamed(...)    the option that an error is about
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from music_composer.cli.commands import cli
from music_composer.cli.sections import sections_of
from music_composer.errors import OptionError
from music_composer.web.rooms import ROOMS, Card, room_of

THIS = "web"  # the command that serves the page
LEFT_OUT = {"debug", "version", "help"}  # options that a page has no use for
TAKE_RECORDINGS, TAKE_SCORES = {"prompts", "blend", "infill"}, {"primer", "files", "file", "from_midi"}
SLIDERS = {"blend_share": {"least": 0.0, "most": 1.0}}  # whose limits are checked by the options themselves
NAMES = {"name"}  # options that are names of files without being of click's type for paths


def commands(command: click.Command = cli, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yields every command with its words behind `music-composer`, none for the bare one; but for the page itself."""
    yield name, command
    if isinstance(command, click.Group):
        for each, below in sorted(command.commands.items()):
            if each == THIS:
                continue
            yield from commands(below, f"{name} {each}".strip())


def forms() -> list[dict[str, Any]]:
    """Returns every command as plain values: name, help, sections of options with kind, default and limits."""
    return [_form(name, command) for name, command in commands()]


def rooms() -> dict[str, list[dict[str, Any]]]:
    """Returns the cards of each room as plain values; commands that no card runs come last."""
    found = {room: [dataclasses.asdict(card) for card in cards] for room, cards in ROOMS.items()}
    carded = {card.command for cards in ROOMS.values() for card in cards}
    for name, _ in commands():
        if name not in carded:
            card = Card(f"music-composer {name}".strip(), name, "")
            found[room_of(name)].append({**dataclasses.asdict(card), "other": True})
    return found


def words_of(name: str, values: Mapping[str, Any], workspace: Path) -> list[str]:
    """Returns the words of a command, each option as `--flag=value` and files behind `--`.

    values: by the names of the options; None and the empty string are left out, and so is what equals the default.
    Raises OptionError for a command or an option that does not exist, a value of another kind, and a path that leads
    out of the workspace.
    """
    command = dict(commands()).get(name)
    if command is None:
        raise OptionError(f"there is no command {name[:40]!r}")
    known = {str(each.name): each for each in command.params if each.name not in LEFT_OUT}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise OptionError(f"music-composer {name} has no option {unknown[0][:40]!r}")
    options: list[str] = []
    files: list[str] = []
    for each in known.values():
        value = values.get(str(each.name))
        if value is None or value == "" or value == _default(each):
            continue
        given = _given(each, value)
        if isinstance(each.type, click.Path) or each.name in NAMES:
            for path in given:
                require_inside(path, workspace)
        if isinstance(each, click.Argument):
            files += given
        else:
            options += _option_words(each, value, given)
    return [*name.split(), *options, *(["--", *files] if files else [])]


def values_of(words: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Returns the command of some words, and its values by the names of the options: the inverse of `words_of`."""
    known = dict(commands())
    name = max((each for each in known if list(words[: len(each.split())]) == each.split()), key=len)
    command, rest = known[name], list(words[len(name.split()) :])
    context = command.make_context(name, rest, resilient_parsing=True)
    typed = click.core.ParameterSource.COMMANDLINE
    given = {key: value for key, value in context.params.items() if context.get_parameter_source(key) is typed}
    return name, {key: _plain(value) for key, value in given.items()}


def _plain(value: Any) -> Any:
    """A value of click as JSON has it."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def blamed(name: str, values: Mapping[str, Any], line: str) -> str:
    """Returns the name of the option that an error of a command is about; nothing where that cannot be told.

    It is the option that the line names first, or else the one whose value it names, a file for example.
    """
    places: list[tuple[int, int, str]] = []
    for each in dict(commands())[name].params if name in dict(commands()) else []:
        flags = [*each.opts, *each.secondary_opts] if isinstance(each, click.Option) else []
        given = values.get(str(each.name))
        typed = [str(one) for one in (given if isinstance(given, list) else [given]) if isinstance(one, str) and one]
        for rank, spelled in enumerate((flags, typed)):
            found = [re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", line) for each in spelled]
            places += [(rank, match.start(), str(each.name)) for match in found if match]
    return min(places)[2] if places else ""


def require_inside(path: str, workspace: Path) -> None:
    """Raises OptionError for a path that leads out of the workspace, by its words or by a link."""
    if "\0" in path or not (workspace / path).resolve().is_relative_to(workspace.resolve()):
        raise OptionError(f"{path[:80]!r} leads out of the folder of this page")


def _form(name: str, command: click.Command) -> dict[str, Any]:
    sections = [
        {"heading": heading, "options": [_field(each) for each in options if each.name not in LEFT_OUT]}
        for heading, options in sections_of(command, command.params)
    ]
    files = [_field(each) for each in command.params if isinstance(each, click.Argument)]
    return {
        "name": name,
        "help": (command.help or "").strip(),
        "files": files,
        "sections": [section for section in sections if section["options"]],
    }


def _field(each: click.Parameter) -> dict[str, Any]:
    kind, limits = _kind(each)
    return {
        "name": each.name,
        "flag": _flag(each),
        "kind": kind,
        "help": getattr(each, "help", None) or "",
        "default": _default(each),
        "required": each.required,
        "several": each.multiple if isinstance(each, click.Option) else each.nargs == -1,
        "count": each.nargs,
        "listed": _listed(each),
        **limits,
        **SLIDERS.get(str(each.name), {}),
    }


def _kind(each: click.Parameter) -> tuple[str, dict[str, Any]]:
    kind = each.type
    if isinstance(each, click.Option) and each.is_flag:
        return "flag", {}
    if isinstance(kind, click.Choice):
        return "choice", {"choices": [str(choice) for choice in kind.choices]}
    if isinstance(kind, click.IntRange | click.FloatRange):
        limits = {"least": kind.min, "most": kind.max}
        return "int" if isinstance(kind, click.IntRange) else "float", limits
    if isinstance(kind, click.Path) or each.name in NAMES:
        return "path", {}
    return {"integer": "int", "float": "float"}.get(kind.name, "text"), {}


def _listed(each: click.Parameter) -> str:
    """Which files of the folder an option takes; nothing where it takes none, or folders too."""
    name = str(each.name)
    return "recordings" if name in TAKE_RECORDINGS else "scores" if name in TAKE_SCORES else ""


def _flag(each: click.Parameter) -> str:
    """The longest spelling of an option; nothing for files."""
    return max(each.opts, key=len) if isinstance(each, click.Option) else ""


def _default(each: click.Parameter) -> Any:
    """A default as JSON has it; None where there is none."""
    value = each.default
    if isinstance(each, click.Option) and each.is_flag:
        return value is True
    if isinstance(value, Path):
        return str(value)
    # What stands for no default differs between versions of click.
    return value if isinstance(value, int | float | str) else None


def _given(each: click.Parameter, value: Any) -> list[str]:
    """The values as words. Raises OptionError where there are others than the option takes."""
    several = each.nargs != 1 or (isinstance(each, click.Option) and each.multiple)
    given = value if isinstance(value, list) else [value]
    if any(not isinstance(one, bool | int | float | str) for one in given) or (isinstance(value, list) and not several):
        raise OptionError(f"{_flag(each) or each.name} takes other values")
    if each.nargs > 1 and len(given) != each.nargs:
        raise OptionError(f"{_flag(each)} takes {each.nargs} values")
    return [str(one) for one in given]


def _option_words(each: click.Parameter, value: Any, given: Sequence[str]) -> list[str]:
    flag = _flag(each)
    if isinstance(each, click.Option) and each.is_flag:
        if not isinstance(value, bool):
            raise OptionError(f"{flag} is on or off")
        return [flag] if value else each.secondary_opts[:1]
    if each.nargs > 1:
        return [flag, *given]
    return [f"{flag}={one}" for one in given]
