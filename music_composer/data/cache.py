"""The cache of frames: one shard a song and an index of them all, in the folder `train_data/`.

    index.json                magic, version, frame options, one entry a song
    frames-0123456789ab.npy   float16, shape (frames, channels, bands); a plain NumPy array

Only what has changed is done again. Shards are written whole and then renamed; the index is saved every few seconds,
so a process killed at any moment loses the songs of those seconds and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from music_composer.data.folder import fingerprint_of, recordings_in
from music_composer.data.shards import Meter, Song, cut_recording, open_shard, shard_is_whole
from music_composer.errors import CacheError, MusicComposerError, RecordError, RecordingError
from music_composer.files import read_json, reason, remove_torn, write_json
from music_composer.options import FrameOptions
from music_composer.records import from_plain

MAGIC = "music-composer frames"
VERSION = 1
INDEX = "index.json"
SAVE_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Cache:
    """A folder of shards that fits a dataset folder."""

    folder: Path
    datasets: Path
    options: FrameOptions
    songs: tuple[Song, ...]

    @property
    def channels(self) -> int:
        return max(song.channels for song in self.songs)

    @property
    def seconds(self) -> float:
        return sum(song.stop - song.start for song in self.songs) / self.options.frames_per_second

    @property
    def digest(self) -> str:
        """Changes when any recording changes."""
        contents = "".join(song.source + song.fingerprint.content for song in self.songs)
        return hashlib.blake2b(os.fsencode(contents), digest_size=8).hexdigest()


@dataclasses.dataclass(frozen=True)
class Report:
    """What `prepare` did."""

    done: int  # songs cut into frames
    kept: int  # songs that were still right
    removed: int
    remarks: tuple[str, ...]  # a line for each file that something was odd about


def prepare(
    datasets: Path,
    folder: Path,
    options: FrameOptions = FrameOptions(),
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[float, float], None] = lambda done, total: None,
) -> tuple[Cache, Report]:
    """Brings the cache up to date with the recordings.

    `progress` gets bytes read and bytes to read. Raises RecordingError when not one recording can be used, naming
    every one and why; CacheError when the cache folder cannot be written.
    """
    paths = recordings_in(datasets, say=lambda line: say(f"note: {line}"))
    known = {song.source: song for song in _read_index(folder, options, say)}
    sources = {path.relative_to(datasets).as_posix(): path for path in paths}
    songs: dict[str, Song] = {}
    failures: dict[str, str] = {}
    stale: dict[str, Path] = {}
    for source, path in sources.items():
        try:
            song = _still_right(folder, path, known.get(source), options)
        except RecordingError as error:
            failures[source] = str(error)
            continue
        if song:
            songs[source] = song
        else:
            stale[source] = path
    kept = len(songs)

    _make_writable(folder)
    saved = time.monotonic()
    meter = Meter(sum(path.stat().st_size for path in stale.values()), progress)
    for source, outcome in _cut_all(stale, folder, options, meter):
        if isinstance(outcome, Song):
            songs[source] = outcome
        else:
            failures[source] = outcome
        if time.monotonic() - saved > SAVE_SECONDS:
            _write_index(folder, options, songs)
            saved = time.monotonic()
    if stale or set(songs) != set(known) or any(songs[s] is not known.get(s) for s in songs):
        _write_index(folder, options, songs)
    gone = [song for source, song in known.items() if source not in songs]
    used = {song.shard for song in songs.values()}
    for song in gone:
        if song.shard not in used:
            (folder / song.shard).unlink(missing_ok=True)

    remarks = [failures[source] for source in sorted(failures)]
    remarks += [f"{datasets / s.source}: {remark}" for s in songs.values() for remark in s.remarks if s.source in stale]
    if not songs:
        raise RecordingError(f"none of the {len(paths)} files in {datasets} can be used:\n  " + "\n  ".join(remarks))
    cache = Cache(folder, datasets, options, tuple(songs[source] for source in sorted(songs)))
    return cache, Report(len(songs) - kept, kept, len(gone), tuple(remarks))


def load_frames(cache: Cache, song: Song) -> np.ndarray:
    """A song without its silent ends, float16, shape (frames, channels, bands), left on disk until it is read."""
    return open_shard(cache.folder / song.shard)[song.start : song.stop]


def _still_right(folder: Path, path: Path, known: Song | None, options: FrameOptions) -> Song | None:
    """The entry of a song that need not be cut again, else None."""
    fingerprint = fingerprint_of(path, known.fingerprint if known else None)
    if known is None or fingerprint.content != known.fingerprint.content or not shard_is_whole(folder, known, options):
        return None
    return known if fingerprint == known.fingerprint else dataclasses.replace(known, fingerprint=fingerprint)


def _cut_all(
    stale: dict[str, Path], folder: Path, options: FrameOptions, meter: Meter
) -> Iterator[tuple[str, Song | str]]:
    """Cuts songs on all cores, a few ahead at a time; a song that cannot be used yields the reason instead."""
    workers = os.cpu_count() or 1
    waiting = iter(stale.items())
    running: dict[Future[Song], str] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(running) < workers and (job := next(waiting, None)):
                    running[pool.submit(cut_recording, job[0], job[1], folder, options, meter)] = job[0]
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    source = running.pop(future)
                    try:
                        yield source, future.result()
                    except RecordingError as error:
                        yield source, str(error)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_torn(folder)
    except OSError as error:
        raise CacheError(f"the cache folder {folder} cannot be made: {reason(error)}") from error


def _read_index(folder: Path, options: FrameOptions, say: Callable[[str], None]) -> list[Song]:
    """The songs of an index that is ours and has these options; anything else counts as no cache, and is said."""
    path = folder / INDEX
    if not path.exists():
        return []
    try:
        plain = read_json(path)
        if plain["magic"] != MAGIC:
            raise CacheError(f"{path} is not ours, and is left alone: choose another cache folder with -t")
        if plain["version"] != VERSION or from_plain(FrameOptions, plain["options"]) != options:
            say(f"{path} was made with other frame options: all songs are cut again")
            return []
        return [from_plain(Song, song) for song in plain["songs"]]
    except OSError as error:
        raise CacheError(f"{path} cannot be read: {reason(error)}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecordError):
        say(f"{path} is damaged or not ours: all songs are cut again")
        return []


def _write_index(folder: Path, options: FrameOptions, songs: dict[str, Song]) -> None:
    plain = {
        "magic": MAGIC,
        "version": VERSION,
        "options": dataclasses.asdict(options),
        "songs": [dataclasses.asdict(songs[source]) for source in sorted(songs)],
    }
    try:
        write_json(folder / INDEX, plain)
    except MusicComposerError as error:
        raise CacheError(str(error)) from error


def open_cache(datasets: Path, folder: Path, options: FrameOptions = FrameOptions()) -> Cache | None:
    """The cache as it lies there, without a look at whether it is up to date; None when there is none."""
    songs = tuple(song for song in _read_index(folder, options, lambda line: None) if (datasets / song.source).exists())
    return Cache(folder, datasets, options, songs) if songs else None
