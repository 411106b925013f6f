"""One recording to one shard: a NumPy file, float16 (frames, channels, bands), streamed and written atomically."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from music_composer.audio import spectrogram
from music_composer.audio.dataset.fingerprint import acoustic_fingerprint_of
from music_composer.audio.frame_arrays import FRAME_TYPE, HEADER_BYTES, ShardFrames
from music_composer.audio.options import FrameOptions
from music_composer.audio.reading.decoder import stamp_of
from music_composer.audio.reading.recording import Reading, read_blocks
from music_composer.data.fingerprints import is_fingerprint
from music_composer.data.folder import Fingerprint, fingerprint_of
from music_composer.data.index import require_hash, require_inside
from music_composer.errors import CacheError, MusicComposerError, OptionError, RecordingError
from music_composer.files.atomic import reason, whole_file
from music_composer.options import require_within

MAX_FRAMES, MAX_BYTES = 2**40, 2**50
PACK = re.compile(r"pack-[0-9a-f]{16}\.npy")  # see `packs`
OURS = re.compile(r"(frames|pack)-[0-9a-f]{16}\.npy")


class Cancelled(Exception):
    """Preparing a recording was stopped on request."""


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Song:
    """The entry of a recording in the index."""

    source: str  # path relative to the dataset folder
    fingerprint: Fingerprint
    shard: str  # file name: of its own, or of a pack
    channels: int
    frames: int  # in the shard
    start: int  # first frame that sounds
    stop: int  # one past the last
    remarks: tuple[str, ...]
    acoustic: str  # acoustic fingerprint
    loudest: float  # level of its loudest band, natural log
    offset: int = 0  # bytes of other songs before its own, in a pack

    def __post_init__(self) -> None:
        """Raises OptionError for an entry with impossible values or a path out of the folder."""
        require_inside(self.source)
        require_hash(self.fingerprint.content)
        if not (self.is_packed or self.shard == shard_of(self.fingerprint) and not self.offset):
            raise OptionError(f"{self.shard!r} is not the shard of that recording")
        require_within(self, 0, MAX_BYTES, "offset")
        if self.offset % FRAME_TYPE.itemsize:
            raise OptionError(f"{self.source} begins in the middle of a number")
        require_within(self, 1, 2, "channels")
        require_within(self, 1, MAX_FRAMES, "frames")
        require_within(self, 1, self.frames, "stop")
        require_within(self, 0, self.stop - 1, "start")
        if not is_fingerprint(self.acoustic):
            raise OptionError(f"{self.source} has no acoustic fingerprint that could be one")

    @property
    def is_packed(self) -> bool:
        return bool(PACK.fullmatch(self.shard))

    def bytes_of(self, options: FrameOptions) -> int:
        """Returns the size of its frames."""
        return FRAME_TYPE.itemsize * self.frames * self.channels * options.bands


def shard_of(fingerprint: Fingerprint) -> str:
    """Returns the file name of a shard, which follows from the content of the recording."""
    return f"frames-{fingerprint.content[:16]}.npy"


def cut_recording(
    source: str,
    path: Path,
    cached: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Song, bool]:
    """Turns one recording into one shard. Returns its entry, and whether a shard was written.

    cached: entries by the content hash of their recording; a recording among them is not read again. cancelled: asked
    between blocks.

    Raises RecordingError when the file holds no music or cannot be read, whatever the reason; CacheError when the shard
    cannot be written; Cancelled soon after `cancelled` returns True.
    """

    def check() -> None:
        if cancelled():
            raise Cancelled

    try:
        return _cut(source, path, cached, folder, options, meter, check)
    except (RecordingError, CacheError, Cancelled):
        raise
    except MusicComposerError as error:
        raise CacheError(str(error)) from error
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {reason(error)}") from error
    except Exception as error:  # whatever one file does to its decoder, the others go on
        raise RecordingError(f"{path}: cannot be used: {type(error).__name__}: {error}") from error


def _cut(
    source: str,
    path: Path,
    cached: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    check: Callable[[], None],
) -> tuple[Song, bool]:
    stamp_of(path)  # refuses pipes and devices before anything is read
    fingerprint = fingerprint_of(path, check=check)
    same = cached.get(fingerprint.content)
    if same and shard_is_whole(folder, same, options):
        meter.add(fingerprint.size)
        return dataclasses.replace(same, source=source, fingerprint=fingerprint), False
    reading, blocks = read_blocks(path, options.rate)
    counted = _checked(check, meter.of(fingerprint.size, reading, blocks, options.rate))
    shard = shard_of(fingerprint)
    with whole_file(folder / shard) as part:
        levels = _write_shard(part, spectrogram.blocks_to_bands(counted, options), reading.channels, options)
        start, stop = spectrogram.sounding(levels, options)
        if stop == start:
            found = "nothing but silence in it" if len(levels) else "holds no samples"
            raise RecordingError(f"{path}: {'; '.join([found, *reading.remarks])}")
        # Somebody may still be recording into the file.
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (fingerprint.size, fingerprint.mtime_ns):
            raise RecordingError(f"{path}: changed while it was read: run this again when it is whole")
        whole = ShardFrames(part.parent, part.name, 0, len(levels), reading.channels, reading.channels, options.bands)
        acoustic = acoustic_fingerprint_of(whole, options)
    remarks, loudest = tuple(reading.remarks), round(float(levels.max()), 3)
    return Song(
        source, fingerprint, shard, reading.channels, len(levels), start, stop, remarks, acoustic, loudest
    ), True


def _checked(check: Callable[[], None], blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        check()
        yield block


def _write_shard(path: Path, blocks: Iterator[np.ndarray], channels: int, options: FrameOptions) -> np.ndarray:
    """Streams bands to an NPY file. Returns the loudest band of each frame, natural log (frames,).

    The header is written last, because it holds the number of frames.
    """
    levels = [np.zeros(0, np.float32)]
    with path.open("wb") as file:
        file.write(b"\0" * HEADER_BYTES)
        for bands in blocks:
            levels.append(bands.max(axis=(1, 2), initial=-np.inf))
            file.write(np.ascontiguousarray(bands, np.float16).data)
        loudest = np.concatenate(levels)
        file.seek(0)
        file.write(header_of(len(loudest), channels, options.bands))
    return loudest


def header_of(*shape: int) -> bytes:
    """Returns the header of an NPY file of float16, version 1.0, as NumPy writes it.

    Written out here, because it is compared for every recording each time that a cache is read.
    """
    lengths = f"{shape[0]}," if len(shape) == 1 else ", ".join(map(str, shape))
    made_of = f"{{'descr': '<f2', 'fortran_order': False, 'shape': ({lengths}), }}"
    begin = b"\x93NUMPY\x01\x00" + (HEADER_BYTES - 10).to_bytes(2, "little")
    return begin + made_of.ljust(HEADER_BYTES - 11).encode("ascii") + b"\n"


def shard_is_whole(folder: Path, song: Song, options: FrameOptions) -> bool:
    """Returns whether a shard has the header and the size with which it was written, or a pack has room for it."""
    path, size = os.path.join(folder, song.shard), song.bytes_of(options)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
            return False
        stored = status.st_size - HEADER_BYTES
        if song.is_packed:
            return song.offset + size <= stored and _begins_as(path, header_of(stored // FRAME_TYPE.itemsize))
        return size == stored and _begins_as(path, header_of(song.frames, song.channels, options.bands))
    except OSError:
        return False


def _begins_as(path: str, header: bytes) -> bool:
    with open(path, "rb", buffering=0) as file:
        return file.read(len(header)) == header


def open_shard(folder: Path, song: Song, options: FrameOptions, channels: int) -> ShardFrames:
    """Opens a song without its silent ends, with `channels` channels, left on disk until it is sliced.

    Raises CacheError when the file is missing or damaged.
    """
    if not shard_is_whole(folder, song, options):
        raise CacheError(f"{folder / song.shard} is missing or damaged: run `music-composer prepare` to make it again")
    silence = float(np.log(spectrogram.floor(options)))
    place = folder, song.shard, song.start, song.stop, song.channels
    return ShardFrames(*place, channels, options.bands, silence, song.offset)


class Meter:
    """Adds up the bytes that all threads have read."""

    def __init__(self, total: int, progress: Callable[[float, float], None]) -> None:
        self._total, self._progress = total, progress
        self._read = 0.0
        self._lock = threading.Lock()

    def of(self, size: int, reading: Reading, blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        """Passes on the blocks of a recording of `size` bytes, and counts each as its share of the file."""
        left = float(size)
        each = left / max(1.0, reading.seconds * rate)  # bytes for a sample
        for block in blocks:
            yield block
            share = min(left, each * len(block))
            left -= share
            self.add(share)
        self.add(left)

    def add(self, share: float) -> None:
        with self._lock:
            self._read += share
            self._progress(self._read, self._total)
