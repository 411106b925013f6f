"""Forms made from the commands of click, and the words of a command made from a filled form; nothing is declared twice.

forms()        every command with its options, for the page
words_of(...)  the words behind `music-composer`, from values by the names of the options
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from music_composer.cli.commands import cli
from music_composer.cli.sections import sections_of
from music_composer.errors import OptionError

LEFT_OUT = {"debug", "version", "help"}  # options that a page has no use for
NAMES = {"name"}  # options that are names of files without being of click's type for paths
QUICK = {"neurons": 64, "layers": 1, "epochs": 4}
PRESETS: dict[str, dict[str, dict[str, Any]]] = {  # by command and name; without values, its defaults
    "": {"All of it": {}, "Small and quick": {**QUICK, "count": 2}},
    "train": {"As much as fits the music": {}, "Small and quick": QUICK},
    "generate": {
        "Ten of 10 s": {},
        "One of 30 s": {"count": 1, "seconds": 30},
        "One of 3 min": {"count": 1, "seconds": 180},
    },
    "midi": {"All of it": {}, "Small and quick": {"neurons": 64, "epochs": 8, "count": 2}},
    "midi evolve": {"20 networks": {}, "1,000 networks": {"models": 1000, "select_models": 200}},
}


def commands(command: click.Command = cli, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yields every command with its words behind `music-composer`; none for the bare command."""
    yield name, command
    if isinstance(command, click.Group):
        for each, below in sorted(command.commands.items()):
            yield from commands(below, f"{name} {each}".strip())


def forms() -> list[dict[str, Any]]:
    """Returns every command as plain values: name, help, sections of options with kind, default and limits."""
    return [_form(name, command) for name, command in commands()]


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
        "presets": [{"name": each, "values": values} for each, values in PRESETS.get(name, {}).items()],
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
        **limits,
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
