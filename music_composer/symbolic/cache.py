"""The cache of piano rolls: one file a song and an index of them all, in the folder `train_data/`.

    scores.json             magic, version, the grid, one entry a song
    roll-0123456789ab.npz   velocity, struck, tempos and metres of a roll; plain NumPy arrays

Only what has changed is read again. Mirrors data/cache.py.
"""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.data.folder import Fingerprint, fingerprint_of, scores_in
from music_composer.errors import CacheError, MusicComposerError, RecordError, ScoreError
from music_composer.files import read_json, reason, whole_file, write_json
from music_composer.records import from_plain
from music_composer.symbolic.dataset import Song, read_song
from music_composer.values import Roll

MAGIC = "music-composer scores"
VERSION = 2  # of what files become: those of another are read again
INDEX = "scores.json"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A song in the index. shard: the file of its roll."""

    source: str
    fingerprint: Fingerprint
    shard: str
    remarks: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Report:
    """What `prepare` did. remarks: a line for each file that something is odd about."""

    done: int
    kept: int
    removed: int
    remarks: tuple[str, ...]


def prepare(
    datasets: Path,
    folder: Path,
    per_quarter: int,
    progress: Callable[[float, float, str], None] = lambda done, total, name: None,
) -> tuple[list[Song], Report]:
    """All songs of a folder of MIDI files, on a grid of `per_quarter` steps in a quarter note.

    Raises ScoreError when not one file can be used, naming every one and why; CacheError when the cache cannot be
    written.
    """
    failures: list[str] = []
    paths = scores_in(datasets, say=failures.append)
    known = {entry.source: entry for entry in read_index(folder, per_quarter)}
    songs, entries, done = [], {}, 0
    for number, path in enumerate(paths):
        progress(number, len(paths), path.name)
        source = path.relative_to(datasets).as_posix()
        try:
            old = known.get(source)
            print_ = fingerprint_of(path, old.fingerprint if old else None)
            same = old is not None and print_.content == old.fingerprint.content
            song = Song(source, roll) if same and old and (roll := _load(folder / old.shard, per_quarter)) else None
            remarks = old.remarks if old else ()
            if song is None:
                roll, remarks = read_song(path, per_quarter)
                song, done = Song(source, roll), done + 1
                _save(folder / _shard(print_), roll)
        except CacheError:
            raise
        except MusicComposerError as error:
            failures.append(str(error))
            continue
        songs.append(song)
        entries[source] = Entry(source, print_, _shard(print_), remarks)
    if entries != known:
        _write_index(folder, per_quarter, entries)
    used = {entry.shard for entry in entries.values()}
    for entry in known.values():
        if entry.shard not in used:
            (folder / entry.shard).unlink(missing_ok=True)
    remarks = (*failures, *(f"{datasets / e.source}: {remark}" for e in entries.values() for remark in e.remarks))
    if not songs:
        raise ScoreError(f"none of the {len(paths)} files in {datasets} can be used:\n  " + "\n  ".join(remarks))
    return songs, Report(done, len(songs) - done, len(set(known) - set(entries)), remarks)


def read_index(folder: Path, per_quarter: int) -> list[Entry]:
    """The songs of an index that is ours and has this grid; a damaged one counts as none.

    Raises CacheError where the file is somebody else's.
    """
    path = folder / INDEX
    try:
        plain = read_json(path)
        if plain["magic"] != MAGIC:
            raise CacheError(f"{path} is not ours, and is left alone: choose another cache folder with -t")
        if (plain["version"], plain["per_quarter"]) != (VERSION, per_quarter):
            return []
        return [_entry(each) for each in plain["songs"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecordError):
        return []


def _entry(plain: dict[str, Any]) -> Entry:
    entry = from_plain(Entry, plain)
    if entry.shard != _shard(entry.fingerprint):
        raise RecordError("an index names no files but its own")
    return entry


def _write_index(folder: Path, per_quarter: int, entries: dict[str, Entry]) -> None:
    songs = [dataclasses.asdict(entries[source]) for source in sorted(entries)]
    plain = {"magic": MAGIC, "version": VERSION, "per_quarter": per_quarter, "songs": songs}
    try:
        write_json(folder / INDEX, plain)
    except MusicComposerError as error:
        raise CacheError(str(error)) from error


def _shard(fingerprint: Fingerprint) -> str:
    return f"roll-{int(fingerprint.content, 16):032x}"[:17] + ".npz"


def _save(path: Path, roll: Roll) -> None:
    try:
        with whole_file(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file, velocity=roll.velocity, struck=np.packbits(roll.struck, axis=1), per_quarter=roll.per_quarter,
                tempos=np.array(roll.tempos, np.float64), metres=np.array(roll.metres, np.int64),
            )  # fmt: skip
    except MusicComposerError as error:
        raise CacheError(str(error)) from error
    except OSError as error:
        raise CacheError(f"{path} cannot be written: {reason(error)}") from error


def _load(path: Path, per_quarter: int) -> Roll | None:
    """The inverse; None where the file is missing or damaged."""
    try:
        with np.load(path) as found:
            velocity, struck = found["velocity"], np.unpackbits(found["struck"], axis=1).astype(bool)
            tempos = tuple((int(step), float(tempo)) for step, tempo in found["tempos"])
            metres = tuple((int(step), int(beats), int(note)) for step, beats, note in found["metres"])
            whole = velocity.dtype == np.uint8 and velocity.shape == struck.shape and len(velocity) > 0
            return Roll(velocity, struck, per_quarter, tempos, metres) if whole and tempos and metres else None
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
