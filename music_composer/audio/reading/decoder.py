"""An opened recording, and its samples as they are in the file, block by block."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.reading.header_repair import OF_ANOTHER_KIND, Repair, repair
from music_composer.audio.reading.virtual_file import PiecedFile, Pieces
from music_composer.data.formats import CONVERT, HEAD_BYTES, foreign, said_by_suffix
from music_composer.errors import RecordingError
from music_composer.quiet import quiet_libraries

MIN_RATE, MAX_RATE = 2_000, 768_000  # Hz; no recording lies outside, but damaged headers do
MAX_CHANNELS = 64
MAX_HOURS = 100  # read of a recording
BLOCK_SECONDS = 10.0
BLOCK_VALUES = 1 << 20  # samples times channels in a block at most: 4 MB
UNKNOWN_LENGTH = 1 << 62  # libsndfile reports about this many samples where the header gives no length
REMEMBERED = 64  # files whose beginning is cached
LONGEST_NAME = 1000  # bytes of a path; libsndfile cannot open longer ones, so it gets the opened file
SHORT_SECONDS, SHORT_SHARE = 0.1, 0.01  # missing sound below this is not reported: lossy formats are vague about length

# Bytes of a sample in formats where the position of a sample can be computed.
SAMPLE_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4}
FLOAT_BYTES = {"FLOAT": 4, "DOUBLE": 8}
PLAIN_FORMATS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF")


class Decoder(soundfile.SoundFile):
    """Reads on from its current position.

    soundfile itself asks for the position before every block and seeks after it. That fails where the decoder cannot
    seek (GSM), and where the header gives no length (FLAC through a pipe). libmpg123 prints messages about damaged
    files; they are kept off the terminal, because remarks say what is lost.
    """

    def __init__(self, file: bytes | Path | PiecedFile) -> None:
        with quiet_libraries():
            super().__init__(file)
        self.pieces = file if isinstance(file, PiecedFile) else None

    def go_to(self, place: int, mark: np.ndarray) -> bool:
        """Seeks to a sample and checks that the samples `mark` (samples, channels) follow. Returns whether they do.

        The decoder then stands behind the mark.
        """
        try:
            with quiet_libraries():
                if self.seek(place) != place:
                    return False
                return not len(mark) or np.array_equal(self.read(len(mark), "float32", always_2d=True), mark)
        except Exception:  # decoders that cannot seek raise many kinds of errors
            return False

    def next_block(self, samples: int) -> tuple[np.ndarray, str]:
        """Returns up to `samples` samples, float32 (samples, channels), and the error that ended them, "" for none."""
        block = np.full((samples, self.channels), np.nan, np.float32)  # samples that stay NaN were not decoded
        try:
            with quiet_libraries():
                block = self.read(out=block)
        except Exception as error:  # whatever a library raises on bytes that it did not expect
            decoded = np.flatnonzero(~np.isnan(block).all(axis=1))
            return block[: decoded[-1] + 1] if len(decoded) else block[:0], _reason(error)
        failure = self.pieces.failure if self.pieces else None
        return block, _reason(failure) if failure else ""

    def seekable(self) -> bool:
        return False


@dataclasses.dataclass(frozen=True)
class Stamp:
    """Distinguishes one state of a file from another."""

    size: int
    mtime_ns: int
    inode: int


@dataclasses.dataclass(frozen=True)
class Source:
    """An opened recording.

    declared: samples according to the header, 0 where it gives no length. exact: `declared` is true, and seeking is
    exact. remarks: on the header. following: further recordings in the same file, to be read after it.
    """

    path: Path
    file: Decoder
    declared: int
    exact: bool
    remarks: tuple[str, ...]
    following: tuple[Pieces, ...] = ()

    @property
    def rate(self) -> int:
        return int(self.file.samplerate)

    @property
    def channels(self) -> int:
        return int(self.file.channels)

    @property
    def is_float(self) -> bool:
        return self.file.subtype in FLOAT_BYTES


def stamp_of(path: Path) -> Stamp:
    """Returns the stamp of a file. Raises RecordingError for anything but a regular file."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: cannot be read: {_reason(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise RecordingError(f"{path}: not a file with sound in it, but a folder, a pipe or a device")
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino)


@contextlib.contextmanager
def open_recording(path: Path, to_seek: bool = False) -> Iterator[Source]:
    """Opens a recording with libsndfile. Every failure becomes a RecordingError that names the file.

    to_seek: pass the length in the header to the decoder, without which FLAC cannot seek.
    """
    stamp = stamp_of(path)
    with contextlib.ExitStack() as opened:
        head, repairs = _looked_at(path, stamp, to_seek)
        _refuse_foreign(path, head)
        first, *following = repairs.recordings or ((range(stamp.size),),)
        name: bytes | Path = os.fsencode(path) if os.name == "posix" else path  # names need not be Unicode
        is_plain = not repairs.recordings and len(os.fsencode(path)) <= LONGEST_NAME
        try:
            file = opened.enter_context(Decoder(name if is_plain else opened.enter_context(PiecedFile(path, first))))
        except Exception as error:  # whatever a library raises on bytes that it did not expect
            raise RecordingError(f"{path}: not a recording that can be read: {_why_not(path, error)}") from error
        _refuse_nonsense(path, file)
        declared = 0 if following else repairs.declared if repairs.declared is not None else max(0, file.frames)
        width = (SAMPLE_BYTES | FLOAT_BYTES).get(file.subtype)
        exact = file.format in PLAIN_FORMATS and width is not None
        exact = exact and declared * (width or 1) * file.channels <= stamp.size and declared <= _limit(file)
        remarks = (*repairs.remarks, *_remarks_on_header(file))
        yield Source(path, file, declared % UNKNOWN_LENGTH, exact, remarks, tuple(following))


@functools.lru_cache(REMEMBERED)
def _looked_at(path: Path, stamp: Stamp, to_seek: bool) -> tuple[bytes, Repair]:
    """Returns the first bytes of a file and the repairs of its headers."""
    try:
        with path.open("rb") as raw:
            return raw.read(HEAD_BYTES), repair(raw, stamp.size, to_seek)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {_reason(error)}") from error


def blocks_of(
    source: Source, remarks: list[str], block_seconds: float | None = None, most: int | None = None
) -> Iterator[np.ndarray]:
    """Yields float32 blocks (samples, channels) from the decoder's position on, `most` samples at most.

    Sound that cannot be decoded ends the stream with a remark. So does a header that declared another length.
    """
    size = max(1, min(round((block_seconds or BLOCK_SECONDS) * source.rate), BLOCK_VALUES // source.channels))
    limit = _limit(source.file)
    most = limit if most is None else most
    at, broken = 0, ""
    for file in _files_of(source, remarks):
        while not broken and at < most:
            block, broken = file.next_block(min(size, most - at))
            if not len(block):
                break
            at += len(block)
            yield block
        if broken or at >= most:
            break
    if at >= limit:
        remarks.append(f"longer than {MAX_HOURS} hours: the rest of it is not read")
    elif broken and at != source.declared:
        remarks.append(f"broken after {at / source.rate:.1f} s: {broken}")
    elif source.declared and _differ(source.declared, at, source.rate):
        declared, present = source.declared / source.rate, at / source.rate
        remarks.append(f"its header promises {declared:.1f} s of sound, the file holds {present:.1f} s: these are used")


def _files_of(source: Source, remarks: list[str]) -> Iterator[Decoder]:
    """Yields the decoders of all recordings in a file, each when the one before is at its end."""
    yield source.file
    for pieces in source.following:
        try:
            with PiecedFile(source.path, pieces) as part, Decoder(part) as file:
                if (file.samplerate, file.channels) != (source.rate, source.channels):
                    remarks.append(OF_ANOTHER_KIND)
                    return
                yield file
        except Exception as error:
            remarks.append(f"what follows cannot be read: {_reason(error)}")
            return


def _limit(file: Decoder) -> int:
    """Returns the largest number of samples that are read."""
    return MAX_HOURS * 3600 * int(file.samplerate)


def _differ(declared: int, present: int, rate: int) -> bool:
    return abs(declared - present) > max(SHORT_SECONDS * rate, SHORT_SHARE * declared)


def _refuse_foreign(path: Path, head: bytes) -> None:
    kind = foreign(head)
    if kind:
        claim = f"{_is_not(path)} but " if _is_not(path) else ""
        raise RecordingError(f"{path}: not a recording that can be read: it is {claim}{kind}: {CONVERT}")


def _refuse_nonsense(path: Path, file: Decoder) -> None:
    """Raises RecordingError for impossible numbers in a header, from which memory and work would follow."""
    if not MIN_RATE <= file.samplerate <= MAX_RATE:
        raise RecordingError(
            f"{path}: its header says {file.samplerate} samples a second, which no recording has: "
            f"{MIN_RATE} to {MAX_RATE} are read"
        )
    if not 1 <= file.channels <= MAX_CHANNELS:
        raise RecordingError(f"{path}: its header says {file.channels} channels: 1 to {MAX_CHANNELS} are read")


def _remarks_on_header(file: Decoder) -> list[str]:
    found = re.findall(r"(?:data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info)
    return [f"its header promises {a} bytes of sound, the file holds {b}: these are used" for a, b in found[:1]]


def _is_not(path: Path) -> str:
    """Returns what the file is not, if its suffix claims a format; else ""."""
    claimed = said_by_suffix(path.name)
    return f"not {'an' if claimed[0] in 'AMO' else 'a'} {claimed} file" if claimed else ""


def _why_not(path: Path, error: Exception) -> str:
    """Returns the reason why a decoder refuses a file, in useful words."""
    reason = _reason(error)
    if "does not exist" in reason:  # libsndfile says this where libmpg123 finds no frame
        return f"it is {_is_not(path)}"
    if "SF_INFO" in reason:
        return "its header says a rate, or a count of channels, that no recording has"
    return reason


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, soundfile.LibsndfileError):
        return str(error.error_string)
    return str(error) or type(error).__name__
