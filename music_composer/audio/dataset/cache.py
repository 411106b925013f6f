"""The cache of frames: one shard for each song, or for many, and an index of all songs, in the folder `train_data/`.

    index.json                   magic, version, frame options, one entry for each song; see `data.index`
    frames-0123456789abcdef.npy  float16 (frames, channels, bands), a plain NumPy array
    pack-0123456789abcdef.npy    the frames of many short songs; see `packs`

Only what has changed is prepared again. A shard is named after the content of its recording, written under another name
and then renamed. A process killed at any moment loses only the songs that it was working on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from music_composer import parallel
from music_composer.audio.dataset.packs import pack, remove_unused
from music_composer.audio.dataset.shards import Meter, Song, cut_recording, open_shard, shard_is_whole
from music_composer.audio.dataset.units import cut_in_units
from music_composer.audio.frame_arrays import ShardFrames
from music_composer.audio.options import FrameOptions
from music_composer.data.folder import recordings_in
from music_composer.data.index import Index
from music_composer.data.split import Track
from music_composer.errors import CacheError, RecordingError
from music_composer.files.atomic import reason, remove_torn

MAGIC = "music-composer frames"
VERSION = 2
INDEX = "index.json"


@dataclasses.dataclass(frozen=True)
class Cache:
    """A folder of shards that matches a dataset folder."""

    folder: Path
    datasets: Path
    options: FrameOptions
    songs: tuple[Song, ...]

    @property
    def channels(self) -> int:
        """Channels of a model of this music: 2 if any recording is stereo."""
        return max(song.channels for song in self.songs)

    @property
    def frames(self) -> int:
        """Frames of all songs without their silent ends."""
        return sum(song.stop - song.start for song in self.songs)

    @property
    def seconds(self) -> float:
        return self.frames / self.options.frames_per_second

    @property
    def tracks(self) -> list[Track]:
        """The songs as records of the split."""
        return [Track(s.source, s.fingerprint.content, s.start, s.stop, s.frames, s.acoustic) for s in self.songs]

    @property
    def digest(self) -> str:
        """A hash that changes when any recording changes."""
        contents = "".join(song.source + song.fingerprint.content for song in self.songs)
        return hashlib.blake2b(os.fsencode(contents), digest_size=8).hexdigest()


@dataclasses.dataclass(frozen=True)
class Report:
    """What `prepare` did."""

    done: int  # songs that were prepared
    kept: int  # songs that were up to date
    removed: int
    remarks: tuple[str, ...]  # one line for each oddity of a file


def prepare(
    datasets: Path,
    folder: Path,
    options: FrameOptions = FrameOptions(),
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[float, float], None] = lambda done, total: None,
    executor: parallel.Executor | None = None,
) -> tuple[Cache, Report]:
    """Brings the cache up to date with the recordings.

    progress: gets bytes read and bytes to read. executor: of processes, for example of a cluster; None: the cores of
    this machine. Raises RecordingError, with every file and reason, when no recording can be used; CacheError when the
    cache folder cannot be written or holds files of somebody else. Songs that are finished are kept, whatever ends the
    call.
    """
    paths = recordings_in(datasets, say=lambda line: say(f"note: {line}"))
    sources = {path.relative_to(datasets).as_posix(): path for path in paths}
    index = _index(folder, options)
    previous = index.read(say)
    songs: dict[str, Song] = {}
    stale: dict[str, Path] = {}
    for source, path in sources.items():
        song = _unchanged_entry(folder, path, previous.get(source), options)
        if song:
            songs[source] = song
        else:
            stale[source] = path
    failures: dict[str, str] = {}
    cut: list[str] = []

    if stale or songs != previous or index.journal.exists():
        _make_writable(folder)
        try:
            with index.adding(songs.values()) as add:

                def finished(source: str, outcome: tuple[Song, bool] | RecordingError) -> None:
                    if isinstance(outcome, RecordingError):
                        failures[source] = str(outcome)
                        return
                    songs[source], is_cut = outcome
                    add(songs[source])
                    cut.extend([source] * is_cut)

                contents = {song.fingerprint.content: song for song in previous.values()}
                meter = _meter(stale, progress)
                if executor:
                    cut_in_units(stale, contents, folder, options, meter, finished, executor)
                    remove_torn(folder)  # of processes that died
                else:
                    _cut_all(stale, contents, folder, options, meter, finished)
        finally:
            # An interrupted run has not looked at these songs: their old entries may still be right.
            seen = {**songs, **failures}
            unseen = [previous[source] for source in stale if source in previous and source not in seen]
            index.write([*songs.values(), *unseen])
        songs = pack(songs, folder, options, executor, say, lambda placed: index.write(placed.values()))
    remove_unused(folder, songs.values())
    gone = [song for source, song in previous.items() if source not in songs]

    remarks = [failures[source] for source in sorted(failures)]
    remarks += [f"{datasets / s}: {remark}" for s in sorted(cut) for remark in songs[s].remarks]
    if not songs:
        raise RecordingError(f"none of the {len(sources)} files in {datasets} can be used:\n  " + "\n  ".join(remarks))
    cache = Cache(folder, datasets, options, tuple(songs[source] for source in sorted(songs)))
    return cache, Report(len(cut), len(songs) - len(cut), len(gone), tuple(remarks))


def load_frames(cache: Cache, song: Song, channels: int | None = None) -> ShardFrames:
    """Opens a song without its silent ends: float16 (frames, channels, bands), left on disk until it is sliced.

    channels: of a model; mono gets a silent side channel, stereo gives its mid. None: those of the song.
    """
    return open_shard(cache.folder, song, cache.options, channels or song.channels)


def open_cache(datasets: Path, folder: Path, options: FrameOptions = FrameOptions()) -> Cache | None:
    """Returns the cache as it is on disk, which may be out of date, or None when there is none."""
    previous = _index(folder, options).read()
    songs = tuple(previous[source] for source in sorted(previous) if os.path.isfile(datasets / source))
    return Cache(folder, datasets, options, songs) if songs else None


def _index(folder: Path, options: FrameOptions) -> Index[Song]:
    label = {"magic": MAGIC, "version": VERSION, "options": dataclasses.asdict(options)}
    return Index(folder / INDEX, label, Song)


def _unchanged_entry(folder: Path, path: Path, previous: Song | None, options: FrameOptions) -> Song | None:
    """Returns the entry of a song whose file has the same size and time as before, else None.

    A song without one is checked more closely by its worker.
    """
    if previous is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    if (previous.fingerprint.size, previous.fingerprint.mtime_ns) != (status.st_size, status.st_mtime_ns):
        return None
    return previous if shard_is_whole(folder, previous, options) else None


def _meter(stale: Mapping[str, Path], progress: Callable[[float, float], None]) -> Meter:
    total = 0
    for path in stale.values():
        try:
            total += path.stat().st_size
        except OSError:  # it went; its worker says so
            continue
    return Meter(total, progress)


def _cut_all(
    stale: Mapping[str, Path],
    cached: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    finished: Callable[[str, tuple[Song, bool] | RecordingError], None],
) -> None:
    """Prepares songs on all cores. finished: gets each song and whether it was prepared, or an error.

    When this is interrupted, songs in progress are dropped, and finished ones are still reported.
    """
    sources, cancelled = list(stale), threading.Event()
    jobs = [(source, path, cached, folder, options, meter, cancelled.is_set) for source, path in stale.items()]

    def done(number: int, result: Any) -> None:
        outcome: Any = result.error if isinstance(result, parallel.Failed) else result
        finished(sources[number], outcome)

    parallel.map(cut_recording, jobs, parallel.Threads(), done, (RecordingError,), stop=cancelled.set)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_torn(folder)
    except OSError as error:
        raise CacheError(f"the cache folder {folder} cannot be made: {reason(error)}") from error
