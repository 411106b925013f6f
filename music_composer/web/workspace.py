"""The folder of the page: what of it is shown and played, and how files come into it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from music_composer.data.folder import SCORES
from music_composer.data.formats import RECORDINGS
from music_composer.errors import MusicComposerError, OptionError, OutputError
from music_composer.files.atomic import make_folder

DATASET = "input_music_dataset"
UNSHOWN = (DATASET, "train_data", "model", "midi_model")  # folders without results
SHOWN = (".wav", ".mid", ".png", ".json", ".html", ".musicxml")  # kinds of results
PLAYED = {*RECORDINGS, *SCORES, *SHOWN}
NAME = re.compile(r"[^\s./\\\-\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}")
MOST_BYTES = 4_000_000_000  # of one file; a WAV cannot be larger
SPARE_BYTES = 200_000_000  # that stay free on the disk
PART = ".part"


class Missing(MusicComposerError):
    """There is no such file that the page may show."""


def shown(workspace: Path, name: str) -> Path:
    """Returns the path of a file that the page may show. Raises Missing for any other.

    Results and recordings of the workspace may be shown, and what lies in the dataset wherever a link leads: `prepare`
    reads it too. Hidden folders may not.
    """
    path = Path(name)
    if "\0" in name or path.is_absolute() or any(part.startswith(".") for part in path.parts) or not path.parts:
        raise Missing(f"there is no {name[:80]!r}")
    whole, root = workspace / path, workspace.resolve()
    inside = whole.resolve().is_relative_to(root) or path.parts[0] == DATASET
    if not inside or path.suffix.lower() not in PLAYED or not whole.is_file():
        raise Missing(f"there is no {name[:80]!r}")
    return whole


def recordings(workspace: Path) -> list[dict[str, Any]]:
    """Returns the names and sizes of the files in the dataset, recordings and scores."""
    paths = sorted((workspace / DATASET).rglob("*"))
    return _listed(workspace, (path for path in paths if path.suffix.lower() in (*RECORDINGS, *SCORES)))


def results(workspace: Path) -> list[dict[str, Any]]:
    """Returns recordings and scores of the workspace outside of the dataset, the newest first."""
    found = []
    for folder, below, names in os.walk(workspace):
        # What is asked for twice a second is not sought in caches and run folders.
        below[:] = [name for name in below if not name.startswith(".") and name not in UNSHOWN]
        found += [Path(folder, name) for name in names if name.endswith((".wav", ".mid")) and name[0] != "."]
    return sorted(_listed(workspace, found), key=lambda each: -each["changed"])


def remove(workspace: Path, name: str) -> None:
    """Removes a file from the dataset. Raises Missing where it is not one."""
    path = shown(workspace, name)
    if Path(name).parts[0] != DATASET:
        raise Missing(f"{name[:80]!r} is not in {DATASET}")
    path.unlink()


async def receive(workspace: Path, name: str, size: int | None, replace: bool, parts: AsyncIterator[bytes]) -> Path:
    """Writes an uploaded file into the dataset; nothing of it stays where the upload is cut off.

    size: that was announced. Raises OptionError for a name or a kind that is not taken, OutputError for a file that is
    too large or already there, unless it may be replaced.
    """
    if not NAME.fullmatch(name) or Path(name).suffix.lower() not in {*RECORDINGS, *SCORES}:
        raise OptionError(f"{name[:80]!r} is no name of a recording or a MIDI file: see the list of formats")
    if size is None:
        raise OptionError(f"{name}: its size must be announced")
    folder = workspace / DATASET
    make_folder(folder)
    room = max(0, min(MOST_BYTES, shutil.disk_usage(folder).free - SPARE_BYTES))
    if size > room:
        raise OutputError(f"{name} has {size / 1e6:.0f} MB: there is room for {room / 1e6:.0f} MB")
    target = folder / name
    if target.exists() and not replace:
        raise OutputError(f"{name} is already there")
    part = folder / f".{os.urandom(8).hex()}{PART}"
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            received = 0
            async for piece in parts:
                received += len(piece)
                if received > size:
                    raise OutputError(f"{name} is larger than was announced")
                file.write(piece)
        if received != size:
            raise OutputError(f"{name} was cut off")
        os.replace(part, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return target


def _listed(workspace: Path, paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Name, size, time of the last change and picture of each file that is still there."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            status, picture = path.stat(), path.with_suffix(".png")
            found.append({
                "path": path.relative_to(workspace).as_posix(), "bytes": status.st_size, "changed": status.st_mtime,
                "picture": picture.relative_to(workspace).as_posix() if picture.is_file() else None,
            })  # fmt: skip
    return found
