"""What the user sees while waiting: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from music_composer.eta import Clocked
from music_composer.printable import printable

Advance = Callable[[float, float, str], None]  # done, total, a few words on the state

PLAIN_SECONDS = 15.0  # between plain lines
LONG_SECONDS = 10.0  # what is left of a leg that an estimate is worth it for


def say(line: str) -> None:
    """A line for the user; results and errors apart, everything that is said goes to standard error.

    That it cannot be written, on a full disk say, ends nothing. Raises BrokenPipeError where nobody reads it any more.
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


def with_estimate(advance: Advance, words: str) -> Advance:
    """Passes progress on, and says once, when the speed is known, how long a long leg will take."""
    clocked, said = Clocked(), False

    def advance_and_estimate(done: float, total: float, state: str) -> None:
        nonlocal said
        advance(done, total, state)
        left = None if said else clocked.left(done, total)
        if left is not None:
            said = True
            if left > LONG_SECONDS:
                say(f"{words}: about {duration(time.monotonic() - clocked.started + left)} on this machine")

    return advance_and_estimate


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Advance]:
    """Gives a function to call with (done, total, words)."""
    if sys.stderr.isatty():
        with _rich_bar(title) as advance:
            yield advance
    else:
        yield _plain_lines(title)


@contextlib.contextmanager
def _rich_bar(title: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, words="")
        yield lambda done, total, words: bar.update(task, completed=done, total=total, words=printable(words))


def _plain_lines(title: str) -> Advance:
    clocked = Clocked()
    last = clocked.started

    def advance(done: float, total: float, words: str) -> None:
        nonlocal last
        now, left = time.monotonic(), clocked.left(done, total)
        if now - last < PLAIN_SECONDS or not done:
            return
        last = now
        told = "" if left is None else f", about {duration(left)} left"
        say(f"{title}: {100 * done / total:.0f} %{told} {words}".rstrip())

    return advance
