"""The user's folder of music: which files there are, and how to know one again. Reads no sound and no notes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from music_composer.data.formats import CONVERT, RECORDINGS, UNREADABLE
from music_composer.errors import MusicComposerError, RecordingError, ScoreError
from music_composer.files.atomic import reason

Say = Callable[[str], None]

SCORES = (".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc", ".kar", ".rmi", ".smf")
HASH_BLOCK = 1 << 20
NAMED = 5  # files of a kind that are named in a line; of more, how many there are

# Folders that systems and programs keep for themselves: what was thrown away, old versions, previews. Those that begin
# with a dot are left out in any case.
KEPT_BY_SYSTEMS = (
    "$recycle.bin",
    "recycler",
    "system volume information",
    "__macosx",
    "@eadir",
    "#recycle",
    "@recycle",
    "#snapshot",
    "lost+found",
)

# What a run, a cache or a scorecard of ours begins with; what sounds beside it was made and not recorded.
OUR_FOLDERS = ("options.json", "index.json", "scores.json", "scorecard.json", "evolution.json", "thoughts.json")
OUR_MARKS = (b'"magic": "music-composer', b'"windows_compared"')  # either; cards had no magic once
OUR_SUBFOLDERS = ("prompts", "codec")  # of these, with recordings in them
OUR_OUTPUT = (b'"model":', b'"versions":', b'"music_composer":')  # all in the JSON beside what a model played
HEAD_BYTES = 1 << 16  # of a JSON, that are looked at


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Fingerprint:
    """Enough to see that a file has changed: `content` is only computed when size or time differ."""

    size: int  # bytes
    mtime_ns: int
    content: str  # BLAKE2 of all bytes, hexadecimal


@dataclasses.dataclass(frozen=True)
class _Kind:
    """Which files are looked for. unreadable: suffixes of others that users take for the same, and their names."""

    noun: str
    suffixes: tuple[str, ...]
    error: type[MusicComposerError]
    unreadable: dict[str, str] = dataclasses.field(default_factory=dict)


_RECORDINGS = _Kind("recordings", RECORDINGS, RecordingError, UNREADABLE)
_SCORES = _Kind("MIDI files", SCORES, ScoreError)


def recordings_in(folder: Path, make: bool = True, ours: bool = False, say: Say = lambda line: None) -> list[Path]:
    """All recordings in a folder and its subfolders, linked ones too, in the order of their names.

    Hidden files, and folders that systems keep for themselves, are not looked at. ours: what this program has made is
    taken as well. say: gets a note for each kind of file or folder that was passed over and may be missed.

    Raises RecordingError, with what to do next, when there is no folder (it is made, if `make`) or nothing in it.
    """
    return _files_in(folder, _RECORDINGS, make, ours, say)


def scores_in(folder: Path, make: bool = True, ours: bool = False, say: Say = lambda line: None) -> list[Path]:
    """The same for MIDI files. Raises ScoreError."""
    return _files_in(folder, _SCORES, make, ours, say)


def _files_in(folder: Path, kind: _Kind, make: bool, ours: bool, say: Say) -> list[Path]:
    _require_folder(folder, kind, make)
    found: list[Path] = []
    foreign: dict[str, list[Path]] = {}
    notes: list[str] = []
    made_here = 0
    for entries in _folders(folder, ours, notes):
        names = {entry.name for entry in entries}
        for entry in entries:
            suffix = os.path.splitext(entry.name)[1].lower()
            path = Path(entry.path)
            if suffix in kind.unreadable:
                foreign.setdefault(kind.unreadable[suffix], []).append(path)
            if suffix not in kind.suffixes:
                continue
            if not _is_file(entry):
                notes.append(f"{path} is a pipe or a device and no file: it is not opened")
            elif not ours and f"{path.stem}.json" in names and _is_output(path.with_suffix(".json")):
                made_here += 1
            else:
                found.append(path)
    notes += [_named(name, sorted(paths)) for name, paths in sorted(foreign.items())]
    if made_here:
        notes.append(f"{made_here} files in {folder} were played by a model of this program: they are not learnt from")
    if not found:
        raise kind.error("; ".join([_nothing_in(folder, kind), *notes]))
    for note in notes:
        say(note)
    return sorted(found, key=lambda path: str(path).split(os.sep))  # `parts` would be kept in each


def _require_folder(folder: Path, kind: _Kind, make: bool) -> None:
    if folder.is_file():
        raise kind.error(f"{folder} is a file: give the folder that your {kind.noun} are in")
    if folder.exists():
        return
    if not make:
        raise kind.error(f"{folder} does not exist")
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise kind.error(f"{folder} does not exist and cannot be made: {reason(error)}") from error
    raise kind.error(f"{folder} did not exist and has been made: put {kind.noun} into it and run this again")


def _folders(top: Path, ours: bool, notes: list[str]) -> Iterator[list[os.DirEntry[str]]]:
    """The files of each folder, as the system lists them; each folder once, by whatever links it can be reached.

    Folders are gone through before links to folders, so that those do not take away what has a name of its own.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[str] = [str(top)]
    linked: list[str] = []
    while waiting or linked:
        folder = waiting.pop() if waiting else linked.pop(0)
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted((each for each in listing if not each.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            notes.append(f"{folder} cannot be looked into, and is passed over: {reason(error)}")
            continue
        made_here = not ours and _is_our_folder(entries)
        if made_here and folder != str(top):
            continue
        left_out = (*KEPT_BY_SYSTEMS, *OUR_SUBFOLDERS) if made_here else KEPT_BY_SYSTEMS
        subfolders = [each for each in entries if _is_folder(each) and each.name.lower() not in left_out]
        waiting += [each.path for each in reversed(subfolders) if not each.is_symlink()]
        linked += [each.path for each in subfolders if each.is_symlink()]
        yield [each for each in entries if not _is_folder(each)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """A file, or a link that leads nowhere, whose reader says so."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return True


def _is_our_folder(entries: list[os.DirEntry[str]]) -> bool:
    heads = [_head(entry.path) for entry in entries if entry.name in OUR_FOLDERS]
    return any(mark in head for head in heads for mark in OUR_MARKS)


def _is_output(manifest: Path) -> bool:
    head = _head(str(manifest))
    return all(mark in head for mark in OUR_OUTPUT)


def _head(path: str) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with open(path, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _named(name: str, paths: list[Path]) -> str:
    shown = ", ".join(str(path) for path in paths[:NAMED])
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{name} is not read, {CONVERT}: {shown}{more}"


def _nothing_in(folder: Path, kind: _Kind) -> str:
    kinds = ", ".join(suffix[1:].upper() for suffix in kind.suffixes[:5])
    return f"{folder} has no {kind.noun} in it ({kinds}, ...): put some in and run this again"


def fingerprint_of(
    path: Path, known: Fingerprint | None = None, check: Callable[[], None] = lambda: None
) -> Fingerprint:
    """The file's fingerprint; when size and time are those of `known`, its content is taken to be the same.

    check: called every so often; what it raises ends the reading.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RecordingError(f"{path}: not a file, but a folder, a pipe or a device")
        if known and (known.size, known.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return known
        return Fingerprint(status.st_size, status.st_mtime_ns, _content_hash(path, check))
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {reason(error)}") from error


def _content_hash(path: Path, check: Callable[[], None]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
            check()
    return digest.hexdigest()
