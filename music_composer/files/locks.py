"""Locks, so that no two runs write to one place: the second says who is at work there, or waits.

    folder/.music-composer.lock        held by the system while the process lives; gone when it was let go
    folder/.music-composer.lock.json   who holds it: process, machine, command, since when

A lock of a process that was killed is free at once. Where a folder cannot be written to there is no lock, and none is
needed. Links in the place of these files are not followed.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import platform
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from music_composer.errors import BusyError, MusicComposerError
from music_composer.files.atomic import STEM_LENGTH, make_folder, read_json, reason, remove_torn, started, write_json
from music_composer.files.temporary import made_for_now, noted

LOCK = ".music-composer.lock"
POLL_SECONDS = 0.2
NOT_OURS = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENXIO)  # of another user, a link, no file

_inside: set[tuple[str, int]] = set()  # locks that are held here: where they really are, and the thread


@contextlib.contextmanager
def locked(
    folder: Path, wait: bool = False, say: Callable[[str], None] = lambda line: None, name: str = LOCK
) -> Iterator[None]:
    """While inside, no other process is inside for the same folder and name; a folder that is missing is made.

    wait: for a lock that somebody holds, saying who once. Raises BusyError instead where it is False. Who is inside
    already may enter again. Nothing of it stays: neither the files nor, where nothing was put into it, a folder that
    was made for it.
    """
    path = folder / name
    place = os.path.join(os.path.realpath(folder), name), threading.get_ident()
    if place in _inside:
        yield
        return
    made = _make(folder)
    lock = None
    try:
        lock = _acquire(path, wait, say) if os.access(folder, os.W_OK | os.X_OK) else None
        with contextlib.ExitStack() as held:
            for each in made:
                held.enter_context(made_for_now(each))
            for each in (path, _sidecar(path)) if lock else ():
                held.enter_context(noted(each))
            _inside.add(place)
            yield
    finally:
        _inside.discard(place)
        if lock:
            _let_go(lock, path)
        for each in reversed(made):
            with contextlib.suppress(OSError):  # something is in it
                each.rmdir()


def locked_output(path: Path, wait: bool = False, say: Callable[[str], None] = lambda line: None) -> Any:
    """The same for outputs of one name, NAME-0.wav for all of its numbers: others of that folder are free."""
    stem = path.stem.rpartition("-")[0] or path.stem
    return locked(path.parent, wait, say, f".{stem[:STEM_LENGTH]}{LOCK}")


def holder_of(path: Path) -> str:
    """Who holds a lock, in words for a message."""
    try:
        said = read_json(_sidecar(path), largest=65536)
        return f"{said['command']} (process {said['pid']} on {said['machine']}, since {said['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run of music-composer"


def _make(folder: Path) -> list[Path]:
    """The folders that were made, the outermost first."""
    missing = []
    for each in (folder, *folder.parents):
        if os.path.lexists(each):
            break
        missing.append(each)
    with contextlib.suppress(OSError):  # whoever writes into it says what is wrong with it
        make_folder(folder)
    return missing[::-1]


def _acquire(path: Path, wait: bool, say: Callable[[str], None]) -> Any:
    """The lock, held; None on a file system that knows none, or that cannot be written to."""
    from filelock import FileLock, Timeout

    lock, said = FileLock(path), False
    while True:
        try:
            lock.acquire(timeout=POLL_SECONDS if wait else 0)
        except Timeout:
            if not wait:
                raise BusyError(
                    f"{_what(path)} in use by {holder_of(path)}: wait for it with --wait, or use another name"
                ) from None
            if not said:
                say(f"{_what(path)} in use by {holder_of(path)}: waiting for it")
                said = True
            continue
        except FileNotFoundError:  # the folder went with the lock of another run
            try:
                make_folder(path.parent)
            except OSError:
                return None
            continue
        except NotImplementedError:
            return None
        except OSError as error:
            if error.errno in NOT_OURS:
                raise BusyError(
                    f"{path} cannot be opened: {reason(error)}. Remove it if nobody is at work in {path.parent}"
                ) from error
            return None
        _introduce(path)
        return lock


def _what(path: Path) -> str:
    """What a lock is for, in words for a message."""
    if path.name == LOCK:
        return f"{path.parent} is"
    return f"{path.with_name(path.name[1:].removesuffix(LOCK))} is"


def _introduce(path: Path) -> None:
    """Says who holds the lock, for others to read; what a killed process left of saying so goes."""
    remove_torn(path.parent, [_sidecar(path).stem])
    plain = {
        "pid": os.getpid(),
        "started": started(os.getpid()),
        "machine": platform.node(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])[:500],
        "since": datetime.datetime.now().isoformat(" ", "seconds"),
    }
    with contextlib.suppress(MusicComposerError):
        write_json(_sidecar(path), plain)


def _let_go(lock: Any, path: Path) -> None:
    """Removes both files while the lock is still held, so that nobody else's are removed.

    Who opened the lock's file just before will find that it has no name any more, and open the next (filelock does).
    """
    for each in (_sidecar(path), path):
        with contextlib.suppress(OSError):
            each.unlink()
    lock.release()


def _sidecar(path: Path) -> Path:
    return path.with_name(path.name + ".json")
