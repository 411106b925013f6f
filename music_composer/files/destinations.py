"""Whether what is asked for can be written: folders are there or can be made, may be written to, and have room."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from music_composer.errors import OutputError
from music_composer.files.atomic import make_folder, reason


def require_room(folder: Path, size: float, what: str) -> None:
    """Raises OutputError where so many bytes will not fit. what: the options that ask for them."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(f"{what} are {size / 1e9:.1f} GB at least, and {free / 1e9:.1f} GB are free in {folder}")


def require_writable(folder: Path) -> None:
    """Raises OutputError at once for a folder that the system would refuse in the end."""
    above = folder
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    if not above.is_dir():
        raise OutputError(f"{folder} cannot be written to: {above} is not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written to: check the permissions of {above.absolute()}")


def make_output_folder(folder: Path) -> None:
    """Makes a folder with those above it. Raises OutputError."""
    try:
        make_folder(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {reason(error)}") from error
