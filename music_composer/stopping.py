"""Ctrl-C, SIGTERM and a closed terminal are answered at once, and end every command soon, with what is done saved.

Files are whole under their names at any moment, so that most of what the commands do can end anywhere: leftovers are
swept, child processes ended, and that is all. It is done by a thread that the signal wakes through a pipe: Python runs
its own handlers in the main thread alone, not before a C call there has returned, and what they raise is at times lost
in libraries. What has something to save runs inside `patiently`, polls the flag that is set instead, saves, and ends
with KeyboardInterrupt. A second signal ends at once in any case.

Without `answering`, in a program that uses this package as a library, nothing is installed but what `patiently` needs.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from music_composer.files import temporary

CODE = 130  # of a command that was stopped with all that it had saved
LAST_SECONDS = 1.0  # that the main thread has to end the command by itself, once all is saved
ONE_SIGNAL_SECONDS = 0.3  # `timeout`, say, signals a process and its group: what comes so close together is one
SAVED = b"\0"  # wakes the thread too; no signal has that number
SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it
KILL_SECONDS = 0.8  # for child processes to clear up, before they are killed


class Stopped(KeyboardInterrupt):
    """The command was stopped, and what is to be kept is saved; the message says what, and how to go on."""


_requested = threading.Event()
_patience: list[str] = []  # what each of the blocks that we are inside of does first, in words
_wake: int | None = None  # writes to the thread that answers; None: there is none
_regular = False


def requested() -> bool:
    """Whether a signal has asked the command to stop. For any thread."""
    return _requested.is_set()


def check() -> None:
    """Raises Stopped once the command is asked to stop. For any thread: long work calls it every so often."""
    if _requested.is_set():
        raise Stopped


def wait(seconds: float) -> bool:
    """Sleeps until the time is over, or the command is asked to stop: then True."""
    return _requested.wait(max(0.0, seconds))


@contextlib.contextmanager
def patiently(words: str) -> Iterator[None]:
    """While inside, the first signal only sets the flag. words: what is done before the command ends, for the answer.

    Whoever enters polls `requested` and leaves soon; the interruption comes on leaving. A second signal ends at once.
    """
    _patience.append(words)
    try:
        with _first_sets_flag() if _wake is None else contextlib.nullcontext():
            yield
            if requested() and len(_patience) == 1:
                raise Stopped
    finally:
        _patience.remove(words)
        if _wake is not None and requested():
            os.write(_wake, SAVED)


@contextlib.contextmanager
def regular_end() -> Iterator[None]:
    """While inside, being stopped is how the command ends: exit code 0. It polls `requested`, and ends soon."""
    global _regular
    _regular = True
    try:
        yield
    finally:
        _regular = requested()  # what was stopped inside ended as it was to


def exit_code() -> int:
    """Of the command when it is stopped."""
    return 0 if _regular else CODE


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Installs the handlers and the thread that answers; for the command line. A signal that the shell has us ignore,
    as it does for background jobs, stays ignored.
    """
    global _wake
    asking = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    numbers = [each for each in asking if signal.getsignal(each) != signal.SIG_IGN]
    reader, _wake = os.pipe()
    os.set_blocking(_wake, False)
    try:
        terminal = os.dup(2)  # standard error as it is now: it may be turned away later, and the answer must not be
    except OSError:
        terminal = -1
    before = {number: signal.signal(number, _heed) for number in numbers}
    old = signal.set_wakeup_fd(_wake, warn_on_full_buffer=False)
    threading.Thread(target=_answer, args=(reader, terminal), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(_wake)  # ends the thread
        _wake = None


def end(code: int) -> NoReturn:
    """Ends the process without unwinding: leftovers and child processes go, nothing else is waited for.

    Threads may still be at work, and libraries can crash when they are torn down after an error.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    _end(code)


def _heed(number: int, frame: FrameType | None) -> None:
    """What Python calls in the main thread, some time; all is done by the thread that the signal has woken."""


@contextlib.contextmanager
def _first_sets_flag() -> Iterator[None]:
    """For a library's user: while inside, the first Ctrl-C sets the flag, the second interrupts as usual."""

    def press(number: int, frame: FrameType | None) -> None:
        if _requested.is_set():
            raise KeyboardInterrupt
        _requested.set()

    try:
        before = signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread: whoever runs us there handles Ctrl-C
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _requested.clear()


def _answer(reader: int, terminal: int) -> None:
    """The thread: reads the numbers of signals, says what happens, and ends the process."""
    first: float | None = None
    left: float | None = None
    while True:
        if not select.select([reader], [], [], left)[0]:
            left = None  # until it has saved what it is saving
            if not _patience:
                _end(exit_code(), terminal)
            continue
        woken, now = os.read(reader, 1), time.monotonic()
        if not woken:
            os.close(reader)
            return
        if woken == SAVED:
            left = None if _patience else LAST_SECONDS
        elif first is None:
            first = now
            _requested.set()
            if _patience:
                _tell(terminal, f"stopping: {_patience[-1]} first; once more ends at once")
            elif _regular:
                _tell(terminal, "stopping")
                left = LAST_SECONDS
            else:
                _tell(terminal, "stopping: what is written stays")
                _end(exit_code(), terminal)
        elif now - first > ONE_SIGNAL_SECONDS:
            unsaved = bool(_patience) and not _regular
            _tell(terminal, "stopped at once" + (": what was not saved yet is lost" if unsaved else ""))
            _end(1 if unsaved else exit_code(), terminal)


def _tell(terminal: int, words: str) -> None:
    """A line on the terminal, past Python's own streams: the main thread may hold their locks."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [terminal], [], 0.1)[1]:
            begin = "\n" if os.isatty(terminal) else ""  # behind the terminal's own ^C, or a bar
            os.write(terminal, f"{begin}music-composer: {words}\n".encode())


def _end(code: int, terminal: int = -1) -> NoReturn:
    _end_children()
    with contextlib.suppress(OSError):
        if os.isatty(terminal):
            os.write(terminal, SHOW_CURSOR)
    temporary.sweep()  # last, as the main thread may be writing still
    os._exit(code)


def _end_children() -> None:
    """Asks the processes that we have started to end, then makes them."""
    children = _descendants(os.getpid())
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, number)
        until = time.monotonic() + KILL_SECONDS
        while time.monotonic() < until and any(map(_alive, children)):
            time.sleep(0.01)


def _descendants(process: int) -> list[int]:
    """Numbers of the children and theirs; where there is no /proc, of those that Python has started to work for us."""
    found = []
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children") as file:
                found += [int(word) for word in file.read().split()]
    except FileNotFoundError:
        if "multiprocessing" in sys.modules and process == os.getpid():
            found = [child.pid for child in sys.modules["multiprocessing"].active_children()]
    return [each for child in found for each in (child, *_descendants(child))]


def _alive(process: int) -> bool:
    """Whether it is there and not a zombie, which only its parent can take away."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False
