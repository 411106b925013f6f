"""Recordings as the measures hear them: blocks of mono samples at one rate, in memory that does not grow."""

from collections.abc import Iterator
from os import PathLike

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from music_composer.errors import RecordingError

Array = NDArray[np.float32] | NDArray[np.float64]
BLOCK_SAMPLES = 1 << 19


def mono_blocks(
    path: str | PathLike[str],
    rate: int,
    start: float = 0.0,
    stop: float = float("inf"),
    trim_db: float | None = None,
) -> Iterator[Array]:
    """Blocks of samples (n,), channels averaged, from second `start` to second `stop` of the recording.

    trim_db: leave out what comes before the first and after the last sample louder than this, dB re full scale.
    Raises RecordingError when the file cannot be read.
    """
    try:
        with soundfile.SoundFile(path) as file:
            first, last = (0, file.frames) if trim_db is None else _sounding_span(file, trim_db)
            first = max(first, round(start * file.samplerate))
            last = last if stop == float("inf") else min(last, round(stop * file.samplerate))
            resampler = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32")
            file.seek(min(first, file.frames))
            for at in range(first, last, BLOCK_SAMPLES):
                block = to_mono(file.read(min(BLOCK_SAMPLES, last - at), "float32", always_2d=True))
                ends = at + BLOCK_SAMPLES >= last
                yield block if file.samplerate == rate else resampler.resample_chunk(block, last=ends)
    except (soundfile.SoundFileError, OSError) as error:
        raise RecordingError(f"{path}: cannot be read as a recording ({error}).") from error


def mono_samples(
    path: str | PathLike[str],
    rate: int,
    start: float = 0.0,
    stop: float = float("inf"),
    trim_db: float | None = None,
) -> Array:
    """The same in one piece."""
    return np.concatenate([np.empty(0, np.float32), *mono_blocks(path, rate, start, stop, trim_db)])


def side_and_mid(path: str | PathLike[str], start: float = 0.0, stop: float = float("inf")) -> NDArray[np.float64]:
    """Energy of half the difference and of half the sum of the first two channels, (2,); a mono recording has no side.

    Silent ends add nothing to either. Raises RecordingError when the file cannot be read.
    """
    try:
        with soundfile.SoundFile(path) as file:
            first = min(round(start * file.samplerate), file.frames)
            last = file.frames if stop == float("inf") else min(file.frames, round(stop * file.samplerate))
            file.seek(first)
            energy = np.zeros(2)
            for block in file.blocks(BLOCK_SAMPLES, frames=last - first, dtype="float32", always_2d=True):
                left, right = block[:, 0], block[:, min(1, file.channels - 1)]
                halves = np.stack([left - right, left + right]) / 2
                energy += np.sum(np.square(halves), axis=1, dtype=np.float64)
            return energy
    except (soundfile.SoundFileError, OSError) as error:
        raise RecordingError(f"{path}: cannot be read as a recording ({error}).") from error


def to_mono(samples: Array) -> Array:
    """(n,) or (n, channels) -> (n,)."""
    return samples if samples.ndim == 1 else samples.mean(axis=1)


def _sounding_span(file: soundfile.SoundFile, trim_db: float) -> tuple[int, int]:
    """First and one past the last sample louder than trim_db; (0, 0) in silence."""
    first, last, at = 0, 0, 0
    for block in file.blocks(BLOCK_SAMPLES, dtype="float32", always_2d=True):
        loud = np.flatnonzero(np.abs(block).max(axis=1) > 10.0 ** (trim_db / 20.0))
        if len(loud):
            first, last = (first if last else at + int(loud[0])), at + int(loud[-1]) + 1
        at += len(block)
    return first, last
