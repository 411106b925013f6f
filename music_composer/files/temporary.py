"""What is on disk for the moment: files under another name and scratch folders. Who ends the process sweeps them.

A block that is left, by an error too, removes its own; this is for an end that leaves no block: see stopping.py.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

_lock = threading.Lock()
_there: set[Path] = set()
_made: set[Path] = set()  # folders that go where nothing is in them
_swept = False


@contextlib.contextmanager
def noted(path: Path) -> Iterator[Path]:
    """While inside, `path` is a leftover. Raises KeyboardInterrupt once all have been swept."""
    with _lock:
        if _swept:
            raise KeyboardInterrupt
        _there.add(path)
    try:
        yield path
    finally:
        with _lock:
            _there.discard(path)


@contextlib.contextmanager
def made_for_now(folder: Path) -> Iterator[None]:
    """While inside, a folder that was made goes with the process where nothing was put into it."""
    with _lock:
        _made.add(folder)
    try:
        yield
    finally:
        with _lock:
            _made.discard(folder)


@contextlib.contextmanager
def scratch_folder(within: Path | None = None) -> Iterator[Path]:
    """A folder that is gone afterwards, however the process ends, short of a kill.

    within: the folder that it is made in, where other machines are to see it; None: that of the system.
    """
    import tempfile

    prefix = f"{'.' if within else ''}music-composer-"
    made = tempfile.TemporaryDirectory(prefix=prefix, dir=within, ignore_cleanup_errors=True)
    with made as name, noted(Path(name)):
        yield Path(name)


def sweep() -> None:
    """Removes all that is there now, and lets nothing new begin: the process is about to end."""
    import shutil

    global _swept
    with _lock:
        _swept = True
        paths, made = sorted(_there), sorted(_made, reverse=True)
    for path in paths:
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for folder in made:  # what is inside before what is around it
        with contextlib.suppress(OSError):
            folder.rmdir()
