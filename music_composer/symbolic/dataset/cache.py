"""The cache of piano rolls: a file for each song and an index of them all, in the folder `train_data/`.

    scores.json             magic, version, the grid, one entry for each song; see `data.index`
    roll-0123456789ab.npz   velocity, struck (onsets), tempos and metres of a roll; NumPy arrays

Only changed files are read again. If preparation is interrupted, the songs that are done stay in the cache. Mirrors
audio/dataset/cache.py.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from music_composer.data.folder import Fingerprint, fingerprint_of, scores_in
from music_composer.data.index import Index, require_hash, require_inside
from music_composer.errors import CacheError, MusicComposerError, OptionError, ScoreError
from music_composer.files.atomic import make_folder, reason, remove_torn, whole_file
from music_composer.symbolic.dataset.songs import Song, read_song
from music_composer.values import PITCHES, Roll

MAGIC = "music-composer scores"
VERSION = 2  # of the conversion to rolls: files of another version are read again
INDEX = "scores.json"
MAX_BYTES = 2**30  # of a roll in memory


@dataclasses.dataclass(frozen=True)
class Entry:
    """A song in the index. shard: the file of its roll."""

    source: str
    fingerprint: Fingerprint
    shard: str
    remarks: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raises OptionError for a path outside the dataset or the cache: an index names only its own files."""
        require_inside(self.source)
        require_hash(self.fingerprint.content)
        if self.shard != _shard(self.fingerprint):
            raise OptionError(f"{self.shard!r} is not a file of this cache")


@dataclasses.dataclass(frozen=True)
class Report:
    """What `prepare` did. remarks: a line for each oddity in a file."""

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
    """All songs of a folder of score files, on a grid of `per_quarter` steps in a quarter note.

    Raises ScoreError when no file can be used, with the reason for each; CacheError when the cache cannot be written,
    or the folder holds another program's files.
    """
    notes: list[str] = []
    sources = {path.relative_to(datasets).as_posix(): path for path in scores_in(datasets, say=notes.append)}
    index = _index(folder, per_quarter)
    known = index.read(notes.append)
    songs: dict[str, Song] = {}
    entries: dict[str, Entry] = {}
    done = 0
    try:
        make_folder(folder)
        remove_torn(folder)
    except OSError as error:
        raise CacheError(f"the cache folder {folder} cannot be written: {reason(error)}") from error
    try:
        # Each finished song is appended at once: an interruption loses only the current one.
        with index.adding(known.values()) as add:
            for number, (source, path) in enumerate(sources.items()):
                progress(number, len(sources), path.name)
                try:
                    entry, roll, is_new = _song(source, path, known, folder, per_quarter)
                except MusicComposerError as error:
                    if isinstance(error, CacheError):
                        raise
                    notes.append(str(error))
                    continue
                songs[source], entries[source] = Song(source, roll), entry
                done += is_new
                if entry != known.get(source):
                    add(entry)
    except BaseException:
        index.write([*{**known, **entries}.values()])
        raise
    index.write(entries.values())
    # Rolls that no song uses any more.
    for shard in {entry.shard for entry in known.values()} - {entry.shard for entry in entries.values()}:
        (folder / shard).unlink(missing_ok=True)
    remarks = (*notes, *(f"{datasets / e.source}: {remark}" for e in entries.values() for remark in e.remarks))
    if not songs:
        raise ScoreError(f"none of the {len(sources)} files in {datasets} can be used:\n  " + "\n  ".join(remarks))
    return list(songs.values()), Report(done, len(songs) - done, len(set(known) - set(entries)), remarks)


def read_index(folder: Path, per_quarter: int) -> list[Entry]:
    """The readable songs of an index with this grid.

    Raises CacheError where the file is another program's.
    """
    return list(_index(folder, per_quarter).read().values())


def _index(folder: Path, per_quarter: int) -> Index[Entry]:
    return Index(folder / INDEX, {"magic": MAGIC, "version": VERSION, "per_quarter": per_quarter}, Entry)


def _song(
    source: str, path: Path, known: Mapping[str, Entry], folder: Path, per_quarter: int
) -> tuple[Entry, Roll, bool]:
    """A song's entry, its roll, and whether its file was read.

    Raises ScoreError for a file that cannot be used.
    """
    try:
        old = known.get(source)
        fingerprint = fingerprint_of(path, old.fingerprint if old else None)
        shard = _shard(fingerprint)
        if old and old.shard == shard and (roll := _load(folder / shard, per_quarter)):
            return dataclasses.replace(old, fingerprint=fingerprint), roll, False
        roll, remarks = read_song(path, per_quarter)
    except MusicComposerError:
        raise
    except Exception as error:  # a fault in one file must not stop the others
        raise ScoreError(f"{path}: cannot be used: {type(error).__name__}: {error}") from error
    _save(folder / shard, roll)
    return Entry(source, fingerprint, shard, remarks), roll, True


def _shard(fingerprint: Fingerprint) -> str:
    # The first 12 of 32 hexadecimal digits of the content's hash.
    return f"roll-{int(fingerprint.content, 16):032x}"[:17] + ".npz"


def _save(path: Path, roll: Roll) -> None:
    try:
        with whole_file(path) as part, part.open("wb") as file:
            np.savez_compressed(
                file, velocity=roll.velocity, struck=np.packbits(roll.onset, axis=1), per_quarter=roll.per_quarter,
                tempos=np.array(roll.tempos, np.float64), metres=np.array(roll.metres, np.int64),
            )  # fmt: skip
    except MusicComposerError as error:
        raise CacheError(str(error)) from error
    except OSError as error:
        raise CacheError(f"{path} cannot be written: {reason(error)}") from error


def _load(path: Path, per_quarter: int) -> Roll | None:
    """The inverse of `_save`; None where the file is missing or damaged."""
    try:
        if not path.is_file():  # reading a pipe would block
            return None
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_BYTES:
                return None
        with np.load(path, allow_pickle=False) as found:
            velocity, onset = found["velocity"], np.unpackbits(found["struck"], axis=1).astype(bool)
            tempos = tuple((int(step), float(tempo)) for step, tempo in found["tempos"])
            metres = tuple((int(step), int(beats), int(note)) for step, beats, note in found["metres"])
            well_formed = (
                velocity.dtype == np.uint8 and velocity.shape == onset.shape and velocity.shape[1:] == (PITCHES,)
            )
            fits = _changes_fit(tempos) and _changes_fit(metres) and velocity.max(initial=0) < PITCHES
            return (
                Roll(velocity, onset, per_quarter, tempos, metres) if well_formed and fits and len(velocity) else None
            )
    except Exception:  # NumPy and zipfile raise a dozen kinds of errors for damaged files
        return None


def _changes_fit(changes: tuple[tuple[float, ...], ...]) -> bool:
    """Whether changes of tempo or metre start at 0, come in rising order, and have positive finite values."""
    steps = [step for step, *_ in changes]
    numbers = [number for _, *rest in changes for number in rest]
    return bool(steps) and steps[0] == 0 and steps == sorted(set(steps)) and all(0 < n < 2**31 for n in numbers)
