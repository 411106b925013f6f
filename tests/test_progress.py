"""How the time is told, and that plain lines are few."""

import io
import json
import re
import threading
from pathlib import Path

import pytest

from music_composer import progress
from music_composer.context import Context, Progress
from music_composer.errors import OutputError
from music_composer.progress import append_error, duration, joined, json_lines, of_command, terminal


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


def run(clock, advance, seconds, total=None):
    """A leg whose steps take so many seconds each; returns how long all of it took."""
    advance(0, total or len(seconds), "")
    for i, each in enumerate(seconds):
        clock[0] += each
        advance(i + 1, total or len(seconds), "")
    return clock[0]


def seconds_in(line):
    minutes, seconds = re.search(r"about (?:(\d+) min )?(\d+) s", line).groups()
    return 60 * int(minutes or 0) + int(seconds)


def test_without_a_terminal_a_line_now_and_then_says_how_long_it_takes(clock, capsys):
    with terminal().stage("training") as advance:
        run(clock, advance, [20.0] + [1.0] * 36, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "training: 1 %",  # the first step says nothing of the others
        "training: 16 %, about 1 min 24 s left",
        "training: 31 %, about 1 min 09 s left",
    ]


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param([1.0] * 60, id="even"),
        pytest.param([20.0] + [0.6] * 100, id="cold at first"),
        pytest.param([5.0] + [0.01] * 3000, id="steps shorter than a slice"),
        pytest.param([3.0, *[0.7, 0.5, 0.9, 0.6] * 30], id="uneven"),
        pytest.param([6.0] + [1.0] * 5 + [30.0] + [1.0] * 80, id="a moment of something else"),
        pytest.param([4.0, 3.0, 2.5, 2.0, 1.5, *[1.0] * 80], id="slowly warming up"),
    ],
)
def test_the_estimate_is_said_once_and_holds(clock, capsys, seconds):
    with terminal().stage("preparing", task="preparing the music") as advance:
        spent = run(clock, advance, seconds)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("preparing the music: about")]
    cold = 30.0 if 30.0 in seconds else 0.0  # nobody could know
    assert seconds_in(line) == pytest.approx(spent - cold, rel=0.2)


def test_what_is_soon_done_gets_no_estimate(clock, capsys):
    with terminal().stage("preparing", task="preparing the music") as advance:
        run(clock, advance, [8.0] + [0.5] * 15)
    assert "on this machine" not in capsys.readouterr().err


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with terminal().stage("training") as advance:
        advance(0, 0, "")
        advance(1, 2, "loss 1.5")
    assert "training:" not in capsys.readouterr().err


def test_json_lines_carry_the_numbers_of_every_report_that_has_some():
    file = io.StringIO()
    context = json_lines(file)
    with context.stage("training", "steps") as advance:
        for step in range(1, 4):
            advance(step, 3, f"step {step}", loss=1 / step)
    with context.stage("reading", "files") as advance:
        for number in range(1000):
            advance(number, 1000)
        advance(1000, 1000, "loss is no number", loss=float("nan"))
    context.say("d\u00e9j\u00e0 vu \udce9")
    events = [json.loads(line) for line in file.getvalue().splitlines()]
    assert all(event.pop("time") > 0 for event in events)
    assert events[0] == {"event": "begin", "stage": "training", "unit": "steps"}
    assert [event["values"] for event in events[1:4]] == [{"loss": 1.0}, {"loss": 0.5}, {"loss": 1 / 3}]
    assert events[2] == {"event": "progress", "stage": "training", "unit": "steps", "done": 2, "total": 3,
                         "words": "step 2", "values": {"loss": 0.5}}  # fmt: skip
    assert [event["event"] for event in events] == [
        "begin",
        *["progress"] * 3,
        "end",
        "begin",
        "progress",
        "end",
        "say",
    ]
    assert (events[4]["done"], events[7]["done"]) == (3, 1000)
    assert events[6]["values"] == {"loss": None}, "JSON has no word for what is not a number"
    assert events[-1]["line"] == "d\u00e9j\u00e0 vu \udce9"


def test_several_contexts_hear_the_same():
    said, events, stop = [], [], threading.Event()
    context = joined(Context(said.append), Context(progress=events.append), Context(cancelled=stop.is_set))
    context.say("a line")
    context.progress(Progress("training", 1, 2))
    assert (said, events) == (["a line"], [Progress("training", 1, 2)])
    assert not context.stop_requested()
    stop.set()
    assert context.stop_requested()


def test_several_contexts_are_told_what_is_written():
    first, second = [], []
    joined(Context(written=first.append), Context(), Context(written=second.append)).written(Path("a.wav"))
    assert first == second == [Path("a.wav")]


def test_a_command_appends_its_events_to_the_file_that_is_named(tmp_path, monkeypatch, capsys):
    file = tmp_path / "progress.jsonl"
    file.write_text('{"event": "before"}\n')
    monkeypatch.setenv(progress.FILE, str(file))
    context = of_command()
    context.say("a line")
    context.written(Path("output-0.wav"))
    append_error("song.wav: no such file", 1)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event.pop("time", 0.0) > 1.7e9 for event in events] == [False, True, True, True]
    assert events[1:] == [
        {"event": "say", "line": "a line"},
        {"event": "written", "path": "output-0.wav"},
        {"event": "error", "line": "song.wav: no such file", "code": 1},
    ]
    assert capsys.readouterr().err == "a line\n", "the user is told as before"


def test_without_such_a_file_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(progress.FILE, raising=False)
    monkeypatch.chdir(tmp_path)
    of_command().written(Path("output-0.wav"))
    append_error("a line", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_opened_is_refused_and_a_full_disk_ends_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv(progress.FILE, str(tmp_path / "none" / "progress.jsonl"))
    with pytest.raises(OutputError, match=f"which {progress.FILE} names, cannot be written"):
        of_command()

    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    context = json_lines(Full())
    context.say("a line")
    context.written(Path("output-0.wav"))
    context.progress(Progress("training", 1, 2))
