"""Sound that plays while it is written: raw PCM on standard output, and a WAV that is valid at any moment.

Samples are little-endian and interleaved. Values beyond full scale are clipped, never wrapped.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from music_composer.audio.wav import HEADER_BYTES, SAMPLE_BYTES, wav_header
from music_composer.errors import MusicComposerError, OptionError
from music_composer.files.atomic import make_folder, part_name, reason
from music_composer.files.outputs import claim_growing


class Sink(Protocol):
    """The destination of a stream. samples: number written. clipped: values beyond full scale."""

    samples: int
    clipped: int

    def write(self, samples: np.ndarray) -> None:
        """Appends float samples (samples, channels)."""


class RawOutput:
    """Writes raw samples to a file descriptor. Raises BrokenPipeError when the reader is gone."""

    def __init__(self, descriptor: int, subtype: str) -> None:
        self._descriptor, self._subtype = descriptor, subtype
        self.samples = self.clipped = 0

    def write(self, samples: np.ndarray) -> None:
        left = memoryview(to_bytes(samples, self._subtype))
        while left:
            left = left[os.write(self._descriptor, left) :]
        self.samples += len(samples)
        self.clipped += int(np.count_nonzero(np.abs(samples) > 1))


class GrowingWav:
    """A WAV whose header is updated after each piece, so it can be opened at any moment, also after a crash.

    It is the only file that is not written under another name first, because it plays while it grows. Space for the
    header of a file above 4 GiB is reserved from the start.
    """

    def __init__(self, descriptor: int, path: Path, rate: int, channels: int, subtype: str) -> None:
        self._descriptor, self._path, self._rate = descriptor, path, rate
        self._channels, self._subtype = channels, subtype
        self.samples = self.clipped = 0
        self._put(self._header(), 0)

    def write(self, samples: np.ndarray) -> None:
        """Appends samples. Raises MusicComposerError when the disk refuses; earlier samples stay."""
        self._put(to_bytes(samples, self._subtype), HEADER_BYTES + self._bytes)
        self.samples += len(samples)
        self.clipped += int(np.count_nonzero(np.abs(samples) > 1))
        # After the samples, so that the header never declares more than there is.
        self._put(self._header(), 0)

    @property
    def _bytes(self) -> int:
        return self.samples * self._channels * SAMPLE_BYTES[self._subtype]

    def _header(self) -> bytes:
        return wav_header(self._bytes, self._rate, self._channels, self._subtype)

    def _put(self, content: bytes, place: int) -> None:
        left = memoryview(content)
        try:
            while left:
                written = os.pwrite(self._descriptor, left, place)
                left, place = left[written:], place + written
        except OSError as error:
            raise MusicComposerError(
                f"{self._path} cannot grow: {reason(error)}; its first {self.samples / self._rate:.1f} s are whole"
            ) from error


def to_bytes(samples: np.ndarray, subtype: str) -> bytes:
    """Samples (samples, channels), full scale 1 -> bytes, little-endian and interleaved."""
    limited = np.clip(np.nan_to_num(samples), -1.0, 1.0)
    if subtype == "FLOAT":
        return limited.astype("<f4").tobytes()
    full = 2.0 ** (8 * SAMPLE_BYTES[subtype] - 1)
    # Full scale 1.0 has no integer of its own: the largest is one below it.
    whole = np.clip(np.rint(limited * full), -full, full - 1).astype("<i4")
    return whole[..., None].view("u1")[..., : SAMPLE_BYTES[subtype]].tobytes()


@contextlib.contextmanager
def standard_output(subtype: str) -> Iterator[RawOutput]:
    """Reserves standard output for samples: all other output goes to standard error meanwhile.

    Raises OptionError where it is a terminal, MusicComposerError where it is closed.
    """
    if os.isatty(1):
        raise OptionError("-o -: standard output is a terminal: pipe it into a player, or give a name to write to")
    try:
        # Descriptors, not `sys.stdout`: libraries print from C too.
        sys.stdout.flush()
        own = os.dup(1)
        os.dup2(2, 1)
    except (OSError, AttributeError) as error:
        raise MusicComposerError("-o -: standard output is closed") from error
    try:
        yield RawOutput(own, subtype)
    finally:
        os.dup2(own, 1)
        os.close(own)


@contextlib.contextmanager
def growing_wav(path: Path, rate: int, channels: int, subtype: str, overwrite: bool = False) -> Iterator[GrowingWav]:
    """Starts a WAV, which may replace one of ours. Raises MusicComposerError when it cannot be written.

    The JSON beside it names it before it exists. overwrite: it may replace a file of somebody else.
    """
    part = part_name(path)
    try:
        try:
            make_folder(path.parent)
            file = part.open("wb")
        except OSError as error:
            raise MusicComposerError(f"{path} cannot be written: {reason(error)}") from error
        with file:
            wav = GrowingWav(file.fileno(), path, rate, channels, subtype)
            claim_growing(path, os.fstat(file.fileno()).st_ino, overwrite)
            os.replace(part, path)
            yield wav
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
