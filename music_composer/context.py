"""What a job is given by whoever starts it: where its lines and its progress go, and whether it is to stop.

A job that is given nothing is silent, and ends only by itself or by Ctrl-C. The command line passes
`progress.terminal()`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from music_composer import stopping
from music_composer.parallel import Executor
from music_composer.stopping import Stopped

POLL_SECONDS = 0.05  # between two looks at `cancelled` while a job waits


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a stage of a job is.

    stage: its name, for example "training". done, total: of `unit`; a total of 0 is not known yet. words: the state for
    a reader. values: the state in numbers, for example the loss. task: what the stage does, in words, where it may take
    so long that an estimate is worth a line. ended: the stage is over; that is the last of its events.
    """

    stage: str
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    words: str = ""
    values: Mapping[str, float] = dataclasses.field(default_factory=dict)
    task: str = ""
    ended: bool = False


class Advance(Protocol):
    """Reports how far a stage is."""

    def __call__(self, done: float, total: float, words: str = "", /, **values: float) -> None: ...


def _nowhere(event: object) -> None:
    """Takes what nobody wants to know."""


def _never() -> bool:
    return False


@dataclasses.dataclass(frozen=True)
class Context:
    """say: takes a line for the user. progress: takes events. written: takes each file of the result once it is whole.
    cancelled: says whether the job is to stop, for example `threading.Event().is_set`; any thread may set that.
    executor: runs what can be divided, for example on a cluster; None: this machine does, as suits the work.

    A job that is cancelled saves what it can go on from and raises Stopped.
    """

    say: Callable[[str], None] = _nowhere
    progress: Callable[[Progress], None] = _nowhere
    cancelled: Callable[[], bool] = _never
    written: Callable[[Path], None] = _nowhere
    executor: Executor | None = None

    def stop_requested(self) -> bool:
        """Whether the job is cancelled, or a signal has asked this process to stop."""
        return self.cancelled() or stopping.requested()

    def check(self) -> None:
        """Raises Stopped where the job is to stop. Long work calls it every so often."""
        if self.stop_requested():
            raise Stopped

    def wait(self, seconds: float) -> bool:
        """Sleeps until the time is over or the job is to stop; then True."""
        until = time.monotonic() + seconds
        while not self.cancelled():
            left = until - time.monotonic()
            if stopping.wait(min(left, POLL_SECONDS)):
                return True
            if left <= POLL_SECONDS:
                return self.cancelled()
        return True

    @contextlib.contextmanager
    def patiently(self, words: str) -> Iterator[None]:
        """While inside, nothing is interrupted: the block asks `stop_requested`, saves, and leaves soon.

        words: what is done before the job ends, for the answer to a signal. Raises Stopped on leaving.
        """
        with stopping.patiently(words):
            yield
            self.check()

    @contextlib.contextmanager
    def stage(self, name: str, unit: str = "", task: str = "", interruptible: bool = True) -> Iterator[Advance]:
        """A stage of the job; gives what reports its progress. interruptible: a report is a place to stop at."""
        last = Progress(name, unit=unit, task=task)
        self.progress(last)

        def advance(done: float, total: float, words: str = "", /, **values: float) -> None:
            nonlocal last
            if interruptible:
                self.check()
            last = Progress(name, done, total, unit, words, values, task)
            self.progress(last)

        try:
            yield advance
        finally:
            self.progress(dataclasses.replace(last, values={}, ended=True))


SILENT = Context()
