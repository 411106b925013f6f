"""Forms are those of click, and the words that they make are understood by it as they were meant."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from music_composer.cli.check import refusal_of
from music_composer.cli.commands import cli
from music_composer.errors import OptionError
from music_composer.web.forms import LEFT_OUT, blamed, commands, forms, rooms, values_of, words_of
from music_composer.web.rooms import ROOMS

ALL = dict(commands())


def parsed(words: list[str]) -> dict[str, Any]:
    """What click makes of the words of a command."""
    context, command = click.Context(cli, info_name="music-composer"), cli
    while True:
        context = command.make_context(command.name, list(words), parent=context)
        kept = vars(context)
        rest = [*kept.get("_protected_args", kept.get("protected_args", [])), *context.args]
        if not isinstance(command, click.Group) or not rest:
            return context.params
        _, command, words = command.resolve_command(context, rest)


def value_for(each: click.Parameter) -> Any:
    """A value that is not the default."""
    kind = each.type
    if isinstance(each, click.Option) and each.is_flag:
        return each.default is not True
    if isinstance(kind, click.Choice):
        one: Any = list(kind.choices)[-1]
    elif isinstance(kind, click.types.FloatParamType):
        one = 0.25
    elif isinstance(kind, click.types.IntParamType):
        one = 3
    else:
        one = f"-{each.name} ü.wav"
    several = each.nargs != 1 or (isinstance(each, click.Option) and each.multiple)
    return [one] * max(each.nargs, 1) if several else one


def test_every_option_of_every_command_is_in_its_form() -> None:
    assert {form["name"] for form in forms()} == set(ALL)
    for form in forms():
        command = ALL[form["name"]]
        fields = [*form["files"], *(each for section in form["sections"] for each in section["options"])]
        assert {each["name"] for each in fields} == {each.name for each in command.params} - LEFT_OUT
        for field in fields:
            (option,) = (each for each in command.params if each.name == field["name"])
            if isinstance(option.default, int | float | str | Path):
                assert str(field["default"]) == str(option.default)
            assert (field["kind"] == "flag") == bool(getattr(option, "is_flag", False))
            assert field["help"] or field in form["files"]


@pytest.mark.parametrize("name", ALL)
def test_the_words_of_a_filled_form_are_understood_as_they_were_meant(name: str, tmp_path: Path) -> None:
    command = ALL[name]
    for each in command.params:
        if each.name in LEFT_OUT:
            continue
        needed = {str(one.name): value_for(one) for one in command.params if one.required}
        words = words_of(name, {**needed, str(each.name): value_for(each)}, tmp_path)
        understood = parsed(words)[str(each.name)]
        wanted = value_for(each)
        if isinstance(wanted, list):
            assert [str(one) for one in understood] == [str(one) for one in wanted]
        else:
            assert str(understood) == str(wanted)
        assert shlex.split(shlex.join(words)) == words
        command_again, values = values_of(words)
        assert command_again == name and words_of(name, values, tmp_path) == words


@pytest.mark.parametrize("name", ALL)
def test_an_empty_form_is_the_bare_command(name: str, tmp_path: Path) -> None:
    shown = [each for each in ALL[name].params if each.name not in LEFT_OUT and not each.required]
    values = {str(each.name): each.default for each in shown if isinstance(each.default, int | float | str)}
    assert words_of(name, {}, tmp_path) == words_of(name, values, tmp_path) == name.split()


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("sing", {}, "no command 'sing'"),
        ("train", {"tempo": 3}, "no option 'tempo'"),
        ("train", {"debug": True}, "no option 'debug'"),
        ("train", {"epochs": [3]}, "other values"),
        ("train", {"epochs": {"a": 1}}, "other values"),
        ("train", {"fresh": "yes"}, "on or off"),
        ("generate", {"blend": ["a.wav"]}, "takes 2 values"),
        ("train", {"model": "../elsewhere"}, "leads out"),
        ("train", {"model": "/tmp"}, "leads out"),
        ("generate", {"prompts": ["a.wav", "/etc/passwd"]}, "leads out"),
        ("generate", {"name": "../x"}, "leads out"),
        ("generate", {"prompts": ["link/a.wav"]}, "leads out"),
        ("midi render", {"files": ["a\0.mid"]}, "leads out"),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(name: str, values: dict[str, Any], words: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(OptionError, match=words):
        words_of(name, values, tmp_path)


def test_a_value_out_of_range_gets_the_line_of_the_command(tmp_path: Path) -> None:
    assert "-e/--epochs is 0" in refusal_of(words_of("train", {"epochs": 0}, tmp_path))


CARDS = [(room, card) for room, cards in ROOMS.items() for card in cards]


def test_every_command_is_in_one_room_at_least() -> None:
    found = [card["command"] for cards in rooms().values() for card in cards]
    assert set(found) == set(ALL)
    others = [card["command"] for cards in rooms().values() for card in cards if card.get("other")]
    assert set(others) == set(ALL) - {card.command for _, card in CARDS}


@pytest.mark.parametrize(("room", "card"), CARDS, ids=lambda each: each if isinstance(each, str) else each.name)
def test_cards_and_presets_are_taken_by_their_commands(room: str, card: Any, tmp_path: Path) -> None:
    known = {each.name for each in ALL[card.command].params} - LEFT_OUT
    assert set(card.front) <= known and len(set(card.front)) == len(card.front)
    files = ["--", "a.mid"] if any(each.required for each in ALL[card.command].params) else []
    for values in (card.begins, *card.presets.values()):
        assert refusal_of([*words_of(card.command, values, tmp_path), *files]) == ""


@pytest.mark.parametrize(
    ("name", "values", "line", "option"),
    [
        ("train", {"epochs": 0}, "-e/--epochs is 0: give 1 or more", "epochs"),
        ("generate", {"seconds": -1}, "-s/--seconds-to-generate is -1.0", "seconds"),
        ("generate", {"prompts": ["no such.wav"]}, "no such.wav: there is no such file", "prompts"),
        ("generate", {"infill": "a.wav", "gap_start": 9.0}, "--from is 9.0: a.wav is 3 s long", "gap_start"),
        ("midi render", {"files": ["x.mid"]}, "x.mid: not a MIDI file", "files"),
        ("train", {}, "the disk is full", ""),
        ("train", {"model": "m"}, "model: holds nothing", ""),
        ("sing", {}, "-e", ""),
    ],
)
def test_an_error_is_put_beside_the_option_that_it_is_about(
    name: str, values: dict[str, Any], line: str, option: str
) -> None:
    assert blamed(name, values, line) == option
