"""One recording to one shard: a NumPy file of float16, shape (frames, channels, bands), streamed and written whole."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from music_composer.audio import frames as frames_station
from music_composer.audio.recording import Reading, read_blocks
from music_composer.data.folder import Fingerprint, fingerprint_of
from music_composer.errors import CacheError, RecordingError
from music_composer.files import whole_file
from music_composer.options import FrameOptions

SHARD_HEADER = 128  # bytes of the NPY header, which has room for any count of frames


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
    remarks: tuple[str, ...] = ()


def cut_recording(source: str, path: Path, folder: Path, options: FrameOptions, meter: Meter) -> Song:
    """One recording to one shard. Raises RecordingError when there is no music in it."""
    fingerprint = fingerprint_of(path)
    reading, blocks = read_blocks(path, options.rate)
    shard = f"frames-{hashlib.blake2b(os.fsencode(source), digest_size=6).hexdigest()}.npy"
    counted = meter.of(path, reading, blocks, options.rate)
    with whole_file(folder / shard) as part:
        levels = _write_shard(part, frames_station.blocks_to_bands(counted, options), reading.channels, options)
        start, stop = frames_station.sounding(levels, options)
        if stop == start:
            found = "nothing but silence in it" if len(levels) else "holds no samples"
            raise RecordingError(f"{path}: {'; '.join([found, *reading.remarks])}")
    return Song(source, fingerprint, shard, reading.channels, len(levels), start, stop, tuple(reading.remarks))


def _write_shard(path: Path, blocks: Iterator[np.ndarray], channels: int, options: FrameOptions) -> np.ndarray:
    """Streams bands to an NPY file, whose header is written last. Returns each frame's loudest band, in nepers."""
    levels = [np.zeros(0, np.float32)]
    with path.open("wb") as file:
        file.write(b"\0" * SHARD_HEADER)
        for bands in blocks:
            levels.append(bands.max(axis=(1, 2), initial=-np.inf))
            file.write(np.ascontiguousarray(bands, np.float16).data)
        loudest = np.concatenate(levels)
        file.seek(0)
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f2", "fortran_order": False, "shape": (len(loudest), channels, options.bands)}
        )
        if file.tell() != SHARD_HEADER:
            raise CacheError(f"{path}: the header of a shard took {file.tell()} bytes instead of {SHARD_HEADER}")
    return loudest


def open_shard(path: Path) -> np.ndarray:
    """The frames, left on disk until they are read. Raises CacheError when the file is missing or damaged."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CacheError(f"{path} is damaged ({error}): run `music-composer prepare` to make it again") from error


def shard_is_whole(folder: Path, song: Song, options: FrameOptions) -> bool:
    try:
        shard = open_shard(folder / song.shard)
    except CacheError:
        return False
    return shard.dtype == np.float16 and shard.shape == (song.frames, song.channels, options.bands)


class Meter:
    """Adds up what all threads have read, in bytes."""

    def __init__(self, total: int, progress: Callable[[float, float], None]) -> None:
        self._total, self._progress = total, progress
        self._read = 0.0
        self._lock = threading.Lock()

    def of(self, path: Path, reading: Reading, blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
        """Passes a recording's blocks on, and counts each as its share of the file."""
        left = float(path.stat().st_size)
        each = left / max(1.0, reading.seconds * rate)  # bytes for a sample
        for block in blocks:
            yield block
            share = min(left, each * len(block))
            left -= share
            self._add(share)
        self._add(left)

    def _add(self, share: float) -> None:
        with self._lock:
            self._read += share
            self._progress(self._read, self._total)
