"""A check refuses what the command would refuse, in the same words, and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from music_composer.cli import commands, options
from music_composer.cli.check import refusal_of
from music_composer.errors import MusicComposerError
from tests.cli.test_sections import ALL

ARGUMENTS = {"files": ["a.mid"], "file": ["a.mid"]}  # what commands cannot do without


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working folder, which stays empty."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def words_of(name: str, command: click.Command) -> list[str]:
    needed = [word for each in command.params if each.required for word in ARGUMENTS[str(each.name)]]
    return [*name.split()[1:], *needed]


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_can_be_checked_and_does_nothing(
    name: str, command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refusal_of(words_of(name, command)) == ""
    wrong = refusal_of([*words_of(name, command), "--no-such"])
    assert "No such option" in wrong and "--no-such" in wrong
    assert refusal_of([*name.split()[1:], "--help"]) == ""
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


@pytest.mark.parametrize(
    "words",
    [
        ["-e", "0"],
        ["train", "-n", "many"],
        ["train", "--seed", "-1"],
        ["generate", "-s", "0"],
        ["generate", "--blend-share", "0.5"],
        ["generate", "--infill", "a.wav", "--prompt", "b.wav"],
        ["generate", "--stream", "--endless", "-s", "3"],
        ["evaluate", "--generated", "a"],
        ["midi", "train", "-n", "0"],
        ["midi", "generate", "--voice", "nes"],
        ["midi", "evolve", "a.mid", "--load-best", "2"],
        ["midi", "evolve"],
        ["midi", "render", "a.mid", "--voice", "nes", "--soundfont", "b.sf2"],
        ["generate", "train"],
        ["-n", "8", "train"],
        ["sing"],
    ],
    ids=" ".join,
)
def test_what_is_refused_is_what_the_command_refuses(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = refusal_of(words)
    assert refusal

    def unreached() -> None:
        raise AssertionError("it began")

    monkeypatch.setattr(options, "begin", unreached)
    with pytest.raises((click.ClickException, MusicComposerError)) as refused:
        commands.cli.main(words, "music-composer", standalone_mode=False)
    error = refused.value
    assert refusal == (error.format_message() if isinstance(error, click.ClickException) else str(error))
