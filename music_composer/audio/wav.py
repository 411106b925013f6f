"""Recordings on disk to waveforms, and waveforms to WAV files. Knows nothing of frames.

Reading is streamed: whatever libsndfile reads (any rate, width and channel count) comes out as blocks of float32
stereo or mono at the rate asked for, with every oddity that was mended said in `Reading.remarks`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from music_composer.errors import MusicComposerError, RecordingError
from music_composer.files import whole_file
from music_composer.values import Waveform

BLOCK_SECONDS = 10.0
RIFF_LIMIT = 2**32 - 2**16  # bytes; beyond it a WAV needs the RF64 header
SAMPLE_BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}

# ITU-R BS.775 for L R C LFE Ls Rs, scaled so that full-scale sound on all channels stays full scale.
SURROUND_TO_STEREO = np.array([[1, 0], [0, 1], [0.7071, 0.7071], [0, 0], [0.7071, 0], [0, 0.7071]]) / 2.4142


@dataclasses.dataclass
class Reading:
    """One recording while it is being read. `remarks` fills as the blocks pass."""

    path: Path
    rate: int  # of the file
    channels: int  # of the blocks: 1 or 2
    seconds: float  # that the header promises
    remarks: list[str] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def open_recording(path: Path) -> Iterator[soundfile.SoundFile]:
    """Opens with libsndfile; every failure becomes a RecordingError that names the file."""
    try:
        path.open("rb").close()  # libsndfile calls every failure a "System error"
        file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)  # names need not be Unicode
    except OSError as error:
        raise RecordingError(f"{path}: cannot be opened: {(error.strerror or str(error)).lower()}") from error
    except soundfile.LibsndfileError as error:
        raise RecordingError(f"{path}: not a recording that can be read: {error.error_string}") from error
    with file:
        yield file


def read_blocks(path: Path, rate: int) -> tuple[Reading, Iterator[np.ndarray]]:
    """Streams a recording at `rate` as float32 blocks of shape (samples, channels), channels 1 or 2.

    Raises RecordingError when it cannot be opened. A read error on the way ends the stream with a remark.
    """
    with open_recording(path) as file:
        reading = Reading(path, file.samplerate, min(file.channels, 2), file.frames / file.samplerate)
        header = re.search(r"(data|SSND) : (\d+) \(should be (\d+)\)", file.extra_info)
        if header:
            reading.remarks.append(
                f"its header promises {header[2]} bytes of sound, the file holds {header[3]}: these are used"
            )
        if file.channels > 2:
            reading.remarks.append(f"{file.channels} channels mixed down to stereo")
    return reading, _resampled(reading, _decoded(reading), rate)


def read_excerpt(path: Path, rate: int, start: float, seconds: float) -> Waveform:
    """Reads `seconds` from `start` (seconds) of a recording, resampled as one piece; shorter at the file's end."""
    with open_recording(path) as file:
        reading = Reading(path, file.samplerate, min(file.channels, 2), file.frames / file.samplerate)
        try:
            file.seek(min(max(0, round(start * file.samplerate)), file.frames))
            block = file.read(round(seconds * file.samplerate), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise RecordingError(f"{path}: cannot be read at {start:.1f} s: {error.error_string}") from error
    block = _cleaned(reading, _to_stereo(block))
    if reading.rate != rate and len(block):
        block = soxr.resample(block, reading.rate, rate)
    return Waveform(block, rate)


def seconds_of(path: Path) -> float:
    """Length of a recording, in seconds, as its header says."""
    with open_recording(path) as file:
        return file.frames / file.samplerate


def _decoded(reading: Reading) -> Iterator[np.ndarray]:
    with open_recording(reading.path) as file:
        whole = True
        while whole:
            start = file.tell()
            block = np.zeros((round(BLOCK_SECONDS * file.samplerate), file.channels), np.float32)
            try:
                block = file.read(out=block)
            except soundfile.LibsndfileError as error:
                whole = False
                block = block[: file.tell() - start]  # what came before the break
                reading.remarks.append(f"broken after {file.tell() / file.samplerate:.1f} s: {error.error_string}")
            if not len(block):
                return
            yield _cleaned(reading, _to_stereo(block))


def _to_stereo(block: np.ndarray) -> np.ndarray:
    """(samples, any) to (samples, 1 or 2)."""
    channels = block.shape[1]
    if channels <= 2:
        return block
    if channels == len(SURROUND_TO_STEREO):
        return block @ SURROUND_TO_STEREO.astype(np.float32)
    return np.stack([block[:, 0::2].mean(axis=1), block[:, 1::2].mean(axis=1)], axis=1)


def _cleaned(reading: Reading, block: np.ndarray) -> np.ndarray:
    """NaN and Inf would spread through every sum that touches them: they become silence, and are said once."""
    finite = np.isfinite(block)
    if finite.all():
        return block
    if not any("not numbers" in remark for remark in reading.remarks):
        reading.remarks.append("holds samples that are not numbers (NaN or Inf): taken as silence")
    return np.where(finite, block, np.float32(0))


def _resampled(reading: Reading, blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    if reading.rate == rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(reading.rate, rate, reading.channels, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(np.ascontiguousarray(block))
    yield stream.resample_chunk(np.zeros((0, reading.channels), np.float32), last=True)


class WavWriter:
    """A WAV that grows; what is beyond full scale is clipped, never wrapped, and counted in `clipped`."""

    def __init__(self, file: soundfile.SoundFile, path: Path) -> None:
        self._file, self._path = file, path
        self.clipped = 0
        self.samples = 0

    def write(self, samples: np.ndarray) -> None:
        """samples: float, shape (samples, channels). Raises MusicComposerError when the disk refuses."""
        limited = np.clip(np.nan_to_num(samples), -1.0, 1.0)
        self.clipped += int(np.count_nonzero(limited != samples))
        self.copy(limited)

    def copy(self, samples: np.ndarray) -> None:
        """The same for sound that was read from a file: FLOAT keeps it as it is, beyond full scale too."""
        self.samples += len(samples)
        try:
            self._file.write(samples)
        except (soundfile.LibsndfileError, AssertionError) as error:  # soundfile asserts that all was written
            raise _refused(self._path) from error


@contextlib.contextmanager
def write_wav(path: Path, rate: int, channels: int, subtype: str, expected_samples: int = 0) -> Iterator[WavWriter]:
    """Opens a WAV for writing; it gets its name when the block is left without an error.

    Raises MusicComposerError when the disk refuses.
    """
    long = expected_samples * channels * SAMPLE_BYTES[subtype] > RIFF_LIMIT
    with whole_file(path) as part:
        try:
            file = soundfile.SoundFile(part, "w", rate, channels, subtype, format="RF64" if long else "WAV")
        except soundfile.LibsndfileError as error:
            raise _refused(path) from error
        with file:
            yield WavWriter(file, path)


def _refused(path: Path) -> MusicComposerError:
    return MusicComposerError(f"{path} cannot be written: is the disk full, or the folder read-only?")


def write_flac(path: Path, waveform: Waveform) -> None:
    """Keeps a waveform whole and small, 16 bits a sample; `read_excerpt` is the way back."""
    with whole_file(path) as part:
        soundfile.write(part, np.clip(waveform.samples, -1, 1), waveform.rate, subtype="PCM_16", format="FLAC")
