"""The user's folder of music: which files there are, and how to know one again. Reads no sound and no notes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

from music_composer.errors import MusicComposerError, RecordingError, ScoreError
from music_composer.files import reason

RECORDINGS = (
    ".wav",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aif",
    ".aiff",
    ".aifc",
    ".caf",
    ".w64",
    ".rf64",
    ".au",
)
SCORES = (".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc")
HASH_BLOCK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """Enough to see that a file has changed: `content` is only computed when size or time differ."""

    size: int  # bytes
    mtime_ns: int
    content: str  # BLAKE2 of all bytes, hexadecimal


def recordings_in(folder: Path, make: bool = True) -> list[Path]:
    """All recordings in a folder and its subfolders, in the order of their names; hidden files are not looked at.

    Raises RecordingError, with what to do next, when there is no folder (it is made, if `make`) or nothing in it.
    """
    return _files_in(folder, "recordings", RECORDINGS, RecordingError, make)


def scores_in(folder: Path, make: bool = True) -> list[Path]:
    """The same for MIDI files. Raises ScoreError."""
    return _files_in(folder, "MIDI files", SCORES, ScoreError, make)


def _files_in(
    folder: Path, noun: str, suffixes: tuple[str, ...], error_of: type[MusicComposerError], make: bool
) -> list[Path]:
    if folder.is_file():
        raise error_of(f"{folder} is a file: give the folder that your {noun} are in")
    if not folder.exists():
        if not make:
            raise error_of(f"{folder} does not exist")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise error_of(f"{folder} does not exist and cannot be made: {reason(error)}") from error
        raise error_of(f"{folder} did not exist and has been made: put {noun} into it and run this again")
    unreadable: list[str] = []
    found = [
        Path(parent) / name
        for parent, folders, names in os.walk(folder, onerror=lambda e: unreadable.append(str(e.filename)))
        for name in names
        if name.lower().endswith(suffixes) and not name.startswith(".")
    ]
    if unreadable:
        raise error_of(f"{unreadable[0]} cannot be looked into: check its permissions")
    if not found:
        kinds = ", ".join(suffix[1:].upper() for suffix in suffixes[:5])
        more = ", ..." if len(suffixes) > 5 else ""
        raise error_of(f"{folder} has no {noun} in it ({kinds}{more}): put some in and run this again")
    return sorted(found)


def fingerprint_of(path: Path, known: Fingerprint | None = None) -> Fingerprint:
    """The file's fingerprint; when size and time are those of `known`, its content is taken to be the same."""
    try:
        status = path.stat()
        if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return known
        return Fingerprint(status.st_size, status.st_mtime_ns, _content_hash(path))
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {reason(error)}") from error


def _content_hash(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
