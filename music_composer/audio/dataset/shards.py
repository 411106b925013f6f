"""One recording to one shard: a NumPy file of float16, shape (frames, channels, bands), streamed and written whole."""

from __future__ import annotations

import dataclasses
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from music_composer.audio import spectrogram as frames_station
from music_composer.audio.dataset.fingerprint import acoustic_fingerprint_of
from music_composer.audio.frame_arrays import HEADER_BYTES, ShardFrames
from music_composer.audio.reading.decoder import stamp_of
from music_composer.audio.reading.recording import Reading, read_blocks
from music_composer.data.fingerprints import is_fingerprint
from music_composer.data.folder import Fingerprint, fingerprint_of
from music_composer.data.index import require_hash, require_inside
from music_composer.errors import CacheError, MusicComposerError, OptionError, RecordingError
from music_composer.files.atomic import reason, whole_file
from music_composer.options import FrameOptions, require_within

MOST_FRAMES = 2**40


class Cancelled(Exception):
    """A recording was left in the middle because somebody asked for it."""


@dataclasses.dataclass(frozen=True)
class Song:
    """One recording's entry in the index."""

    source: str  # path, as seen from the dataset folder
    fingerprint: Fingerprint
    shard: str  # file name
    channels: int
    frames: int  # in the shard
    start: int  # first frame that is not silence
    stop: int  # one past the last
    remarks: tuple[str, ...]
    acoustic: str  # acoustic fingerprint
    loudest: float  # level of its loudest band, in nepers

    def __post_init__(self) -> None:
        """Raises OptionError for an entry that leads elsewhere or cannot be."""
        require_inside(self.source)
        require_hash(self.fingerprint.content)
        if self.shard != shard_of(self.fingerprint):
            raise OptionError(f"{self.shard!r} is not the shard of that recording")
        require_within(self, 1, 2, "channels")
        require_within(self, 1, MOST_FRAMES, "frames")
        require_within(self, 1, self.frames, "stop")
        require_within(self, 0, self.stop - 1, "start")
        if not is_fingerprint(self.acoustic):
            raise OptionError(f"{self.source} has no acoustic fingerprint that could be one")


def shard_of(fingerprint: Fingerprint) -> str:
    """Name of the file that holds the frames of a recording: it follows from what the recording holds."""
    return f"frames-{fingerprint.content[:16]}.npy"


def cut_recording(
    source: str,
    path: Path,
    known: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Song, bool]:
    """One recording to one shard: its entry, and whether it was cut. It need not be where its content is known.

    known: entries by the hash of what their recordings hold.

    Raises RecordingError when there is no music in it or it cannot be read, whatever the reason; CacheError when the
    shard cannot be written; Cancelled soon after `cancelled` says so.
    """

    def check() -> None:
        if cancelled():
            raise Cancelled

    try:
        return _cut(source, path, known, folder, options, meter, check)
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
    known: Mapping[str, Song],
    folder: Path,
    options: FrameOptions,
    meter: Meter,
    check: Callable[[], None],
) -> tuple[Song, bool]:
    stamp_of(path)  # of what is no file nothing is read
    fingerprint = fingerprint_of(path, check=check)
    same = known.get(fingerprint.content)
    if same and shard_is_whole(folder, same, options):
        meter.add(fingerprint.size)
        return dataclasses.replace(same, source=source, fingerprint=fingerprint), False
    reading, blocks = read_blocks(path, options.rate)
    counted = _checked(check, meter.of(fingerprint.size, reading, blocks, options.rate))
    shard = shard_of(fingerprint)
    with whole_file(folder / shard) as part:
        levels = _write_shard(part, frames_station.blocks_to_bands(counted, options), reading.channels, options)
        start, stop = frames_station.sounding(levels, options)
        if stop == start:
            found = "nothing but silence in it" if len(levels) else "holds no samples"
            raise RecordingError(f"{path}: {'; '.join([found, *reading.remarks])}")
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (fingerprint.size, fingerprint.mtime_ns):
            raise RecordingError(f"{path}: changed while it was read: run this again when it is whole")
        whole = ShardFrames(part, 0, len(levels), reading.channels, reading.channels, options.bands)
        heard = acoustic_fingerprint_of(whole, options)
    remarks, loudest = tuple(reading.remarks), round(float(levels.max()), 3)
    return Song(source, fingerprint, shard, reading.channels, len(levels), start, stop, remarks, heard, loudest), True


def _checked(check: Callable[[], None], blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        check()
        yield block


def _write_shard(path: Path, blocks: Iterator[np.ndarray], channels: int, options: FrameOptions) -> np.ndarray:
    """Streams bands to an NPY file, whose header is written last. Returns each frame's loudest band, in nepers."""
    levels = [np.zeros(0, np.float32)]
    with path.open("wb") as file:
        file.write(b"\0" * HEADER_BYTES)
        for bands in blocks:
            levels.append(bands.max(axis=(1, 2), initial=-np.inf))
            file.write(np.ascontiguousarray(bands, np.float16).data)
        loudest = np.concatenate(levels)
        file.seek(0)
        file.write(_header(len(loudest), channels, options.bands))
    return loudest


def _header(frames: int, channels: int, bands: int) -> bytes:
    """How the NPY file of such a shard begins."""
    made = io.BytesIO()
    shape = {"descr": "<f2", "fortran_order": False, "shape": (frames, channels, bands)}
    np.lib.format.write_array_header_1_0(made, shape)
    if made.tell() != HEADER_BYTES:
        raise CacheError(f"the header of a shard took {made.tell()} bytes instead of {HEADER_BYTES}")
    return made.getvalue()


def shard_is_whole(folder: Path, song: Song, options: FrameOptions) -> bool:
    """Whether the file of a song's frames has the header and the size that it was written with."""
    header = _header(song.frames, song.channels, options.bands)
    size = len(header) + 2 * song.frames * song.channels * options.bands
    path = folder / song.shard
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return file.read(len(header)) == header and file.seek(0, 2) == size
    except OSError:
        return False


def open_shard(folder: Path, song: Song, options: FrameOptions, channels: int) -> ShardFrames:
    """A song without its silent ends, with so many channels, left on disk until it is sliced.

    Raises CacheError when the file is missing or damaged.
    """
    path = folder / song.shard
    if not shard_is_whole(folder, song, options):
        raise CacheError(f"{path} is missing or damaged: run `music-composer prepare` to make it again")
    silence = float(np.log(frames_station.floor(options)))
    return ShardFrames(path, song.start, song.stop, song.channels, channels, options.bands, silence)


class Meter:
    """Adds up what all threads have read, in bytes."""

    def __init__(self, total: int, progress: Callable[[float, float], None]) -> None:
        self._total, self._progress = total, progress
        self._read = 0.0
        self._lock = threading.Lock()

    def of(self, size: int, reading: Reading, blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        """Passes the blocks of a recording of `size` bytes on, and counts each as its share of the file."""
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
