"""The folder of the page: what of it is shown and played, and how files come into it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from music_composer.data.folder import SCORES
from music_composer.data.formats import RECORDINGS
from music_composer.errors import MusicComposerError, OptionError, OutputError
from music_composer.files.atomic import make_folder, reason
from music_composer.files.run_layout import OPTIONS, SAMPLES
from music_composer.symbolic.notation.score_file import read_score
from music_composer.web.views import Lengths, length_of

DATASET = "input_music_dataset"
CACHE = "train_data"
UNSHOWN = (DATASET, CACHE)  # folders without results; run folders are known by what is in them
LISTED = (".wav", ".mid", ".musicxml", ".html")  # kinds of results
SHOWN = (*LISTED, ".png", ".json")  # and what lies beside them
PLAYED = {*RECORDINGS, *SCORES, *SHOWN}
NAME = re.compile(r"[^\s./\\\-\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}")
MOST_BYTES = 4_000_000_000  # of one file; a WAV cannot be larger
SPARE_BYTES = 200_000_000  # that stay free on the disk
PART = ".part"
BUFFER_BYTES = 1_000_000  # of an upload, between two writes


class Missing(MusicComposerError):
    """There is no such file that the page may show."""


def shown(workspace: Path, name: str) -> Path:
    """Returns the path of a file that the page may show. Raises Missing for any other.

    Results and recordings of the workspace may be shown, and what lies in the dataset wherever a link leads: `prepare`
    reads it too. Hidden folders, caches and run folders may not, but for the samples of a training.
    """
    path = Path(name)
    if "\0" in name or path.is_absolute() or any(part.startswith(".") for part in path.parts) or not path.parts:
        raise Missing(f"there is no {name[:80]!r}")
    whole, root = workspace / path, workspace.resolve()
    inside = whole.resolve().is_relative_to(root) or path.parts[0] == DATASET
    if not inside or _is_internal(workspace, path) or path.suffix.lower() not in PLAYED or not whole.is_file():
        raise Missing(f"there is no {name[:80]!r}")
    return whole


def music(workspace: Path, lengths: Lengths) -> list[dict[str, Any]]:
    """Returns the recordings and scores of the dataset: path, bytes, time of the last change, seconds if known."""
    paths = sorted((workspace / DATASET).rglob("*"))
    listed = _listed(workspace, (path for path in paths if path.suffix.lower() in (*RECORDINGS, *SCORES)))
    lengths.begin()
    for each in listed:
        path = workspace / each["path"]
        if path.suffix.lower() in RECORDINGS:
            each["seconds"] = lengths.of(path, each["changed"], each["bytes"])
    return listed


def results(workspace: Path) -> list[dict[str, Any]]:
    """Returns recordings, scores and pages of the workspace outside of the dataset, the newest first."""
    found = []
    for folder, below, names in os.walk(workspace):
        # What is asked for twice a second is not sought in caches and run folders.
        below[:] = [name for name in below if not name.startswith(".") and name not in UNSHOWN]
        if OPTIONS in names:
            below[:], names = [], []
        found += [Path(folder, name) for name in names if name.endswith(LISTED) and name[0] != "."]
    return sorted(_listed(workspace, found), key=lambda each: -each["changed"])


def remove(workspace: Path, name: str) -> None:
    """Removes a file from the dataset. Raises Missing where it is not one."""
    path = shown(workspace, name)
    if Path(name).parts[0] != DATASET:
        raise Missing(f"{name[:80]!r} is not in {DATASET}")
    path.unlink()


def require_room(workspace: Path, name: str, size: int | None, replace: bool) -> Path:
    """Returns the path in the dataset that a file of this name and size may be written to.

    Raises OptionError for a name or a kind that is not taken, OutputError for a file that is too large or already
    there, unless it may be replaced.
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
    if (folder / name).exists() and not replace:
        raise OutputError(f"{name} is already there")
    return folder / name


async def receive(workspace: Path, name: str, size: int | None, replace: bool, parts: AsyncIterator[bytes]) -> Path:
    """Writes an uploaded file into the dataset; nothing of it stays where it is cut off, or no music.

    size: that was announced. Raises what `require_room` raises, and RecordingError or ScoreError for what is no music.
    """
    target = require_room(workspace, name, size, replace)
    part = target.with_name(f".{os.urandom(8).hex()}{PART}{target.suffix}")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb", BUFFER_BYTES) as file:
            received = 0
            async for piece in parts:
                received += len(piece)
                if received > (size or 0):
                    raise OutputError(f"{name} is larger than was announced")
                await run_in_threadpool(file.write, piece)
        if received != size:
            raise OutputError(f"{name} was cut off")
        await run_in_threadpool(_require_music, part, name)
        os.replace(part, target)
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {reason(error)}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return target


def _require_music(part: Path, name: str) -> None:
    """Raises RecordingError or ScoreError, as the commands would, where an uploaded file is not what it is called."""
    try:
        if part.suffix.lower() in RECORDINGS:
            length_of(part)
        else:
            read_score(part)
    except MusicComposerError as error:
        raise type(error)(str(error).replace(str(part), name)) from error


def _is_internal(workspace: Path, path: Path) -> bool:
    """Whether a file lies in a cache, or in a run folder and is no sample of a training."""
    if path.parts[0] == CACHE:
        return True
    inner = [parent for parent in path.parents if parent.parts and (workspace / parent / OPTIONS).is_file()]
    return any(path.relative_to(parent).parts[0] != SAMPLES for parent in inner)


def _listed(workspace: Path, paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Name, size and time of the last change of each file that is still there."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            status, name = path.stat(), path.relative_to(workspace).as_posix()
            found.append({"path": name, "bytes": status.st_size, "changed": status.st_mtime})
    return found
