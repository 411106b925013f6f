"""How the time is told, and that plain lines are few."""

import pytest

from music_composer.training import progress
from music_composer.training.progress import duration, progress_bar


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (12.4, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (7199, "1 h 59 min"),
        (100 * 3600, "100 h 00 min"),
    ],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds, told):
    assert duration(seconds) == told


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_without_a_terminal_a_line_now_and_then_says_how_long_it_takes(clock, capsys):
    with progress_bar("training") as advance:
        clock[0] = 20.0
        advance(0, 100, "")  # nothing is known yet
        advance(25, 100, "loss 1.5")
        clock[0] = 21.0
        advance(30, 100, "loss 1.4")  # too soon
        clock[0] = 40.0
        advance(80, 100, "")
    assert capsys.readouterr().err.splitlines() == [
        "training: 25 %, about 1 min 00 s left loss 1.5",
        "training: 80 %, about 10 s left",
    ]


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with progress_bar("training") as advance:
        advance(0, 0, "")
        advance(1, 2, "loss 1.5")
    assert "training:" not in capsys.readouterr().err
