"""Where progress goes: a bar or plain lines on standard error, or JSON lines for another program."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from music_composer.context import Context, Progress
from music_composer.errors import OutputError
from music_composer.eta import Clocked
from music_composer.printable import printable

PLAIN_SECONDS = 15.0  # between plain lines
LONG_SECONDS = 10.0  # what is left of a stage that an estimate is worth it for
EVENT_SECONDS = 0.2  # between JSON lines that carry no values
FILE = "MUSIC_COMPOSER_PROGRESS"  # environment variable: a file to which commands append their events


def terminal() -> Context:
    """The context of a command: lines and a progress bar on standard error."""
    return Context(say, _Terminal().show)


def json_lines(file: TextIO) -> Context:
    """A context that writes each event as a JSON object on a line of its own, at once.

        {"event": "say", "line": "2 recordings, 3 min 20 s of music", "time": 1764158400.0}
        {"event": "begin", "stage": "training", "unit": "steps", "time": ...}
        {"event": "progress", "stage": "training", "done": 7, "total": 36, "unit": "steps", "words": "epoch 1/36",
         "values": {"loss": 1.25}, "time": ...}
        {"event": "end", "stage": "training", ...}
        {"event": "written", "path": "output-0.wav", "time": ...}

    time: seconds since 1970. Of progress without values, which comes very often, some is left out. An event that
    cannot be written, on a full disk for example, ends nothing.
    """
    return _JsonLines(file).context()


def of_command() -> Context:
    """The context of a command whose events another program may follow.

    Like `terminal`; where the environment variable MUSIC_COMPOSER_PROGRESS names a file, events are appended to it too.
    Raises OutputError where that file cannot be opened.
    """
    path = os.environ.get(FILE)
    if not path:
        return terminal()
    try:
        file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open as long as the command lasts
    except OSError as error:
        raise OutputError(f"{path}, which {FILE} names, cannot be written: {error.strerror}") from error
    return joined(terminal(), json_lines(file))


def append_error(line: str, code: int) -> None:
    """Appends what ended a command to the file that MUSIC_COMPOSER_PROGRESS names, if there is one.

    {"event": "error", "line": "song.wav: no such file", "code": 1, "time": ...}
    """
    if path := os.environ.get(FILE):
        with contextlib.suppress(OSError), open(path, "a", encoding="utf-8") as file:
            _write_event(file, {"event": "error", "line": line, "code": code})


def joined(*contexts: Context) -> Context:
    """One context that passes everything on to several, and is cancelled when any of them is."""

    def say(line: str) -> None:
        for each in contexts:
            each.say(line)

    def show(event: Progress) -> None:
        for each in contexts:
            each.progress(event)

    def written(path: Path) -> None:
        for each in contexts:
            each.written(path)

    return Context(say, show, lambda: any(each.cancelled() for each in contexts), written)


def say(line: str) -> None:
    """Writes a line to standard error, where everything goes that is neither a result nor an error.

    A line that cannot be written, on a full disk for example, ends nothing. Raises BrokenPipeError where nobody reads
    standard error any more.
    """
    try:
        sys.stderr.write(printable(line) + "\n")
        sys.stderr.flush()
    except BrokenPipeError:
        raise
    except OSError:
        return


def duration(seconds: float) -> str:
    """12 s, 3 min 20 s, 2 h 05 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


class _Terminal:
    """Shows each stage while it lasts."""

    def __init__(self) -> None:
        self._stages: dict[str, _Stage] = {}

    def show(self, event: Progress) -> None:
        if event.ended:
            if stage := self._stages.pop(event.stage, None):
                stage.close()
            return
        if event.stage not in self._stages:
            self._stages[event.stage] = _Stage(event.stage)
        self._stages[event.stage].show(event)


class _Stage:
    """A stage on standard error: a bar on a terminal, else a line every so often; and one estimate."""

    def __init__(self, title: str) -> None:
        self._opened = contextlib.ExitStack()
        self._clocked, self._said = Clocked(), False
        self._show = _rich_bar(title, self._opened) if sys.stderr.isatty() else _plain_lines(title)

    def show(self, event: Progress) -> None:
        self._show(event)
        if event.task and not self._said and event.total:
            self._estimate(event)

    def close(self) -> None:
        self._opened.close()

    def _estimate(self, event: Progress) -> None:
        """Says once, when the speed is known, how long the whole stage takes."""
        left = self._clocked.left(event.done, event.total)
        if left is not None:
            self._said = True
            if left > LONG_SECONDS:
                spent = time.monotonic() - self._clocked.started
                say(f"{event.task}: about {duration(spent + left)} on this machine")


def _rich_bar(title: str, opened: contextlib.ExitStack) -> Callable[[Progress], None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    bars = opened.enter_context(Bars(*columns, console=Console(stderr=True), transient=True))
    bar = bars.add_task(title, total=None, words="")

    def show(event: Progress) -> None:
        bars.update(bar, completed=event.done, total=event.total or None, words=printable(event.words))

    return show


def _plain_lines(title: str) -> Callable[[Progress], None]:
    clocked = Clocked()
    last = clocked.started

    def show(event: Progress) -> None:
        nonlocal last
        if not event.done or not event.total:
            return
        now, left = time.monotonic(), clocked.left(event.done, event.total)
        if now - last < PLAIN_SECONDS:
            return
        last = now
        told = "" if left is None else f", about {duration(left)} left"
        say(f"{title}: {100 * event.done / event.total:.0f} %{told} {event.words}".rstrip())

    return show


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Values as JSON has them: it has no infinity, and no word for what is not a number."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


class _JsonLines:
    """Events of one job to a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._written: dict[str, float] = {}  # when the last event of a stage was

    def context(self) -> Context:
        return Context(
            lambda line: _write_event(self._file, {"event": "say", "line": line}),
            self._show,
            written=lambda path: _write_event(self._file, {"event": "written", "path": str(path)}),
        )

    def _show(self, event: Progress) -> None:
        kind = "end" if event.ended else "progress" if event.stage in self._written else "begin"
        now = time.monotonic()
        soon = now - self._written.get(event.stage, -EVENT_SECONDS) < EVENT_SECONDS
        if kind == "progress" and soon and not event.values and event.done < event.total:
            return
        self._written[event.stage] = now
        if kind == "end":
            del self._written[event.stage]
        plain: dict[str, Any] = {"event": kind, "stage": event.stage, "unit": event.unit}
        if kind != "begin":
            plain |= {"done": event.done, "total": event.total, "words": event.words, "values": _finite(event.values)}
        _write_event(self._file, plain)


def _write_event(file: TextIO, plain: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        # File names need not be Unicode: what is not is written as an escape.
        file.write(json.dumps({**plain, "time": round(time.time(), 3)}) + "\n")
        file.flush()
