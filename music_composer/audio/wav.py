"""Waveforms to WAV and FLAC files. `audio/reading/recording.py` reads them back."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from music_composer.errors import MusicComposerError
from music_composer.files.atomic import final_name, whole_file
from music_composer.values import Waveform

RIFF_LIMIT = 2**32 - 2**16  # bytes; beyond it a WAV needs the RF64 header
HEADER_BYTES = 80  # of `wav_header`
PCM_TAG, FLOAT_TAG = 1, 3
SAMPLE_BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}


class WavWriter:
    """A WAV that grows. Samples beyond full scale are clipped, never wrapped, and counted in `clipped`."""

    def __init__(self, file: soundfile.SoundFile, path: Path) -> None:
        self._file, self._path = file, path
        self.clipped = 0
        self.samples = 0

    def write(self, samples: np.ndarray) -> None:
        """Appends float samples (samples, channels). Raises MusicComposerError when the disk refuses."""
        # Integers wrap around: a sample beyond full scale would become a loud click.
        limited = np.clip(np.nan_to_num(samples), -1.0, 1.0)
        self.clipped += int(np.count_nonzero(limited != samples))
        self.copy(limited)

    def copy(self, samples: np.ndarray) -> None:
        """Appends samples of a recording without clipping: FLOAT keeps values beyond full scale."""
        self.samples += len(samples)
        try:
            self._file.write(samples)
        except (soundfile.LibsndfileError, AssertionError) as error:  # soundfile asserts that all was written
            raise _refused(self._path) from error


@contextlib.contextmanager
def write_wav(path: Path, rate: int, channels: int, subtype: str, expected_samples: int = 0) -> Iterator[WavWriter]:
    """Opens a WAV for writing. The file gets its name when the block is left without an error.

    expected_samples: more than a RIFF header can hold makes an RF64. Raises MusicComposerError when the disk refuses.
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
    return MusicComposerError(f"{final_name(path)} cannot be written: is the disk full, or the folder read-only?")


def write_flac(path: Path, waveform: Waveform) -> None:
    """Writes a waveform as FLAC of 16 bits. `recording.read_excerpt` reads it back.

    Raises MusicComposerError when the disk refuses.
    """
    with whole_file(path) as part:
        try:
            soundfile.write(part, np.clip(waveform.samples, -1, 1), waveform.rate, subtype="PCM_16", format="FLAC")
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise _refused(path) from error


def wav_header(size: int, rate: int, channels: int, subtype: str) -> bytes:
    """Returns the 80 bytes before `size` bytes of samples. Above 4 GiB they are RF64 (EBU Tech 3306)."""
    width = SAMPLE_BYTES[subtype]
    tag = FLOAT_TAG if subtype == "FLOAT" else PCM_TAG
    frame = channels * width  # bytes of one sample of every channel
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * frame, frame, 8 * width)
    whole = HEADER_BYTES - 8 + size
    if whole <= RIFF_LIMIT:
        room = struct.pack("<4sI28x", b"JUNK", 28)
        return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + room + form + struct.pack("<4sI", b"data", size)
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, whole, size, size // frame, 0)
    unknown = 2**32 - 1
    return struct.pack("<4sI4s", b"RF64", unknown, b"WAVE") + sizes + form + struct.pack("<4sI", b"data", unknown)
