"""What libraries print on standard error, past Python, kept off the terminal while they are at work.

Python's own sys.stderr    a copy of file descriptor 2, while inside `own_stderr`
file descriptor 2          where libraries print: nowhere while anybody is inside `quiet_libraries`
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator

STDERR = 2

_lock = threading.Lock()
_inside = 0
_kept = -1  # what the file descriptor led to before


@contextlib.contextmanager
def own_stderr() -> Iterator[None]:
    """While inside, what Python prints goes on while libraries are quiet. For the command line, around everything."""
    before = sys.stderr
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if before.fileno() == STDERR:
            before.flush()
            own = os.dup(STDERR)
            sys.stderr = open(own, "w", 1, encoding=before.encoding, errors=before.errors)  # noqa: SIM115
    try:
        yield
    finally:
        if sys.stderr is not before:
            own_file, sys.stderr = sys.stderr, before
            with contextlib.suppress(OSError):  # of a full disk, or a terminal that is gone
                own_file.close()


@contextlib.contextmanager
def quiet_libraries(in_any_case: bool = False) -> Iterator[None]:
    """While inside, libraries print nothing. For any thread, and for several at a time.

    in_any_case: even where Python itself prints there, and other threads would be quiet too.
    """
    if not (in_any_case or _python_is_elsewhere()):
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _python_is_elsewhere() -> bool:
    try:
        return sys.stderr.fileno() != STDERR
    except (OSError, ValueError, AttributeError, io.UnsupportedOperation):
        return False


def _enter() -> None:
    global _inside, _kept
    with _lock:
        if not _inside:
            with contextlib.suppress(ValueError, AttributeError):
                sys.stderr.flush()
            _kept = os.dup(STDERR)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, STDERR)
            os.close(nowhere)
        _inside += 1


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if not _inside:
            os.dup2(_kept, STDERR)
            os.close(_kept)
