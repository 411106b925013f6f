"""Whatever is in a file's name, the terminal is not commanded by it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer import progress
from music_composer.printable import printable


@pytest.mark.parametrize(
    "text", ["a song.wav", "Ça va, été à Łódź – 1.flac", "東京　音頭.mp3", "👩‍🎤 live.ogg", "line\n  line\tend", ""]
)
def test_what_can_be_shown_is_shown(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m.wav", r"\x1b[31mred\x1b[0m.wav"),
        ("caf\udce9.wav", r"caf\xe9.wav"),
        ("a\rb\x07\x9b2J", r"a\rb\x07\x9b2J"),
        ("evil\u202e3pm.exe", r"evil\u202e3pm.exe"),
        ("two\u2028lines", r"two\u2028lines"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_commands_a_terminal_is_escaped(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_is_left_that_commands(text):
    shown = printable(text)
    shown.encode("utf-8")
    assert not [c for c in shown if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")]
    assert printable(shown) == shown


def test_what_is_said_is_printable(capsys):
    progress.say("note: \x1b[2J.wav: is odd")
    assert capsys.readouterr().err == "note: \\x1b[2J.wav: is odd\n"


def test_a_name_on_the_progress_bar_is_neither_command_nor_markup(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich draws the bar though this is no terminal
    with progress.terminal().stage("listening") as advance:
        for i, name in enumerate(["[/b] song.wav", "\x1b[2J.wav", "[red]x"]):
            advance(i + 1, 3, name)
    drawn = capsys.readouterr().err
    assert "[red]x" in drawn
    assert "\x1b[2J" not in drawn
