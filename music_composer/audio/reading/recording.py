"""The only reader of recordings: prepare, prompts, infill, the copy check and all metrics read the same samples.

Everything that libsndfile decodes (any rate, sample width and number of channels) becomes blocks of float32 mono or
stereo at the requested rate. Headers are not trusted: decoded samples are counted. Repairs are listed in
`Reading.remarks`. Every failure is a RecordingError that names the file.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from music_composer.audio.reading.decoder import SAMPLE_BYTES, Stamp, blocks_of, open_recording, stamp_of
from music_composer.audio.reading.levels import FINEST_BITS, Scale, cleaned, scale_of
from music_composer.errors import RecordingError
from music_composer.values import Waveform

PEEK_SECONDS = 0.5  # length of the blocks in the search for a sample that is not quiet
LANDMARK_SAMPLES = 16  # kept of the beginning of every block of a compressed recording
REMEMBERED = 1024  # recordings whose survey is cached

# ITU-R BS.775 for L R C LFE Ls Rs, scaled so that full-scale sound on all channels stays full scale.
SURROUND_TO_STEREO = np.array([[1, 0], [0, 1], [0.7071, 0.7071], [0, 0], [0.7071, 0], [0, 0.7071]]) / 2.4142


@dataclasses.dataclass
class Reading:
    """A recording while it is read. `remarks` grows as blocks pass."""

    path: Path
    rate: int  # of the file
    channels: int  # of the blocks: 1 or 2
    seconds: float  # according to the header; 0 where it gives no length
    stamp: Stamp  # of the file before reading, which fails at the end if the file has changed
    gain: float = 1.0  # factor that its samples were multiplied by, a power of two
    remarks: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Survey:
    """Facts about a recording that was decoded once from beginning to end.

    frames: number of samples at `rate`. channels: 1 or 2, after mixing down. exact: seeking is exact. landmarks:
    (position, samples decoded there), by which a decoder proves that a seek went to the right place.
    """

    rate: int
    frames: int
    channels: int
    exact: bool
    remarks: tuple[str, ...]
    landmarks: tuple[tuple[int, np.ndarray], ...] = ()


def read_blocks(path: Path, rate: int) -> tuple[Reading, Iterator[np.ndarray]]:
    """Streams a recording at `rate` as float32 blocks (samples, channels), channels 1 or 2.

    Raises RecordingError when it cannot be opened, or changes while it is read. Sound that cannot be decoded ends the
    stream with a remark.
    """
    stamp = stamp_of(path)
    header = _header(path, stamp)
    channels, seconds, gain = min(header.channels, 2), header.declared / header.rate, header.scale.gain
    reading = Reading(path, header.rate, channels, seconds, stamp, gain, list(header.remarks))

    def blocks() -> Iterator[np.ndarray]:
        with open_recording(path) as source:
            for block in blocks_of(source, reading.remarks):
                yield _stereo(cleaned(block, reading.gain, reading.remarks))
        _require_unchanged(path, stamp)

    return reading, _resampled(blocks(), reading.rate, rate, reading.channels)


def read_excerpt(path: Path, rate: int, start: float, seconds: float) -> Waveform:
    """Reads `seconds` from second `start` of a recording, resampled in one piece. It is shorter at the end."""
    found = survey(path)
    first = _place(start, found)
    last = min(found.frames, first + _place(seconds, found))
    block = np.concatenate([np.zeros((0, found.channels), np.float32), *read_span(path, first, last)])
    if found.rate != rate and len(block):
        block = soxr.resample(block, found.rate, rate)
    return Waveform(block, rate)


def seconds_of(path: Path) -> float:
    """Returns the length of a recording in seconds. It is counted where the header cannot be trusted."""
    found = survey(path)
    return found.frames / found.rate


def survey(path: Path) -> Survey:
    """Decodes a recording once and returns facts about it. Raises RecordingError.

    The result is cached while the file is unchanged.
    """
    return _surveyed(path, stamp_of(path))


def read_span(path: Path, first: int, last: int) -> Iterator[np.ndarray]:
    """Yields samples first..last of the file at its own rate, as blocks (samples, 1 or 2)."""
    stamp = stamp_of(path)
    found, gain = _surveyed(path, stamp), _header(path, stamp).scale.gain
    left = min(last, found.frames) - first
    if left <= 0:
        return
    for block in _decoded_from(path, found, first, left):
        yield _stereo(cleaned(block[:left], gain, []))
        left -= len(block)
        if left <= 0:
            break
    _require_unchanged(path, stamp)
    if left > 0:
        raise RecordingError(f"{path}: could be read to its end before, and now it cannot")


def mono_blocks(
    path: Path, rate: int, start: float = 0.0, stop: float = math.inf, trim_db: float | None = None
) -> Iterator[np.ndarray]:
    """Yields blocks of samples (n,) at `rate`, channels averaged, from second `start` to second `stop`.

    trim_db: leave out everything before the first and after the last sample louder than this, dB re full scale.
    """
    stamp = stamp_of(path)
    found = _surveyed(path, stamp)
    first, last = (0, found.frames) if trim_db is None else _sounding_span(path, stamp, trim_db)
    first, last = max(first, _place(start, found)), min(last, _place(stop, found))
    yield from _resampled((to_mono(block) for block in read_span(path, first, last)), found.rate, rate, 1)


def mono_samples(
    path: Path, rate: int, start: float = 0.0, stop: float = math.inf, trim_db: float | None = None
) -> np.ndarray:
    """Returns the samples of `mono_blocks` in one piece."""
    return np.concatenate([np.empty(0, np.float32), *mono_blocks(path, rate, start, stop, trim_db)])


def is_silent(path: Path, trim_db: float) -> bool:
    """Returns whether no sample of a recording is louder than `trim_db`, dB re full scale."""
    return _sounding_span(path, stamp_of(path), trim_db)[1] == 0


def sounding_seconds(path: Path, trim_db: float) -> tuple[float, float]:
    """Returns the times of the first and last sample louder than `trim_db`, dB re full scale; (0, 0) in silence."""
    first, last = _sounding_span(path, stamp_of(path), trim_db)
    rate = survey(path).rate
    return first / rate, last / rate


def side_and_mid(path: Path, start: float = 0.0, stop: float = math.inf) -> NDArray[np.float64]:
    """Returns the energy of side and mid, (2,): half the difference and half the sum of left and right.

    A mono recording has no side. Silent ends add nothing to either.
    """
    found = survey(path)
    energy = np.zeros(2)
    for block in read_span(path, _place(start, found), _place(stop, found)):
        left, right = block[:, 0], block[:, -1]
        energy += np.sum(np.square(np.stack([left - right, left + right]) / 2), axis=1, dtype=np.float64)
    return energy


def to_mono(samples: np.ndarray) -> np.ndarray:
    """(n,) or (n, channels) -> (n,)."""
    # Channel by channel: over few channels, NumPy's mean takes ten times as long.
    return samples if samples.ndim == 1 else functools.reduce(np.add, samples.T) / samples.dtype.type(samples.shape[1])


@dataclasses.dataclass(frozen=True)
class _Header:
    """Facts about a recording before it is read. channels: of the file. declared: samples, 0 for unknown."""

    rate: int
    channels: int
    declared: int
    exact: bool
    is_float: bool
    scale: Scale
    remarks: tuple[str, ...]


@functools.lru_cache(REMEMBERED)
def _header(path: Path, stamp: Stamp) -> _Header:
    with open_recording(path) as source:
        bits = min(FINEST_BITS, 8 * SAMPLE_BYTES.get(source.file.subtype, 3 if source.is_float else 2))
        scale = scale_of(blocks_of(source, [], block_seconds=PEEK_SECONDS), source.is_float, bits)
        mixed = (f"{source.channels} channels mixed down to stereo",) if source.channels > 2 else ()
        remarks = (*source.remarks, *mixed, *scale.remarks)
        return _Header(source.rate, source.channels, source.declared, source.exact, source.is_float, scale, remarks)


@functools.lru_cache(REMEMBERED)
def _surveyed(path: Path, stamp: Stamp) -> Survey:
    header = _header(path, stamp)
    remarks = list(header.remarks)
    channels = min(header.channels, 2)
    if header.exact and not header.is_float:  # nothing can fail to decode, and integers are never NaN
        return Survey(header.rate, header.declared, channels, True, tuple(remarks))
    frames, landmarks = 0, []
    with open_recording(path) as source:
        for block in blocks_of(source, remarks):
            cleaned(block, header.scale.gain, remarks)
            mark = block[:LANDMARK_SAMPLES].copy()
            if not header.exact and np.ptp(mark, axis=0).any():  # silence is the same everywhere
                landmarks.append((frames, mark))
            frames += len(block)
    _require_unchanged(path, stamp)
    return Survey(header.rate, frames, channels, header.exact, tuple(remarks), tuple(landmarks))


@functools.lru_cache(REMEMBERED)
def _sounding_span(path: Path, stamp: Stamp, trim_db: float) -> tuple[int, int]:
    """Returns the first sample louder than `trim_db` and one past the last, after mixing down."""
    threshold = 10.0 ** (trim_db / 20.0)
    first, last, at = 0, 0, 0
    for block in read_span(path, 0, _surveyed(path, stamp).frames):
        loud = np.flatnonzero(functools.reduce(np.maximum, np.abs(block).T) > threshold)
        if len(loud):
            first, last = (first if last else at + int(loud[0])), at + int(loud[-1]) + 1
        at += len(block)
    return first, last


def _decoded_from(path: Path, found: Survey, first: int, count: int) -> Iterator[np.ndarray]:
    """Yields decoded blocks that begin at sample `first`; they may exceed `count` samples."""
    place, mark = first, np.zeros((0, 1), np.float32)
    if not found.exact:
        before = [each for each in found.landmarks if each[0] + LANDMARK_SAMPLES <= first]
        place, mark = before[-1] if before else (0, mark)
    if place:
        with open_recording(path, to_seek=True) as source:
            if source.file.go_to(place, mark):  # else the recording is decoded from its beginning
                skipped = first - place - len(mark)
                yield from _without(skipped, blocks_of(source, [], most=skipped + count))
                return
    with open_recording(path) as source:
        yield from _without(first, blocks_of(source, [], most=first + count))


def _without(skipped: int, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        if skipped < len(block):
            yield block[skipped:]
        skipped = max(0, skipped - len(block))


def _require_unchanged(path: Path, stamp: Stamp) -> None:
    if stamp_of(path) != stamp:
        raise RecordingError(f"{path}: changed while it was read: run this again when it is at rest")


def _place(seconds: float, found: Survey) -> int:
    """Returns the sample at a time, limited to the recording."""
    return round(min(max(0.0, seconds * found.rate), found.frames))


def _stereo(block: np.ndarray) -> np.ndarray:
    """(samples, any) -> (samples, 1 or 2)."""
    channels = block.shape[1]
    if channels <= 2:
        return block
    if channels == len(SURROUND_TO_STEREO):
        return block @ SURROUND_TO_STEREO.astype(np.float32)
    return np.stack([to_mono(block[:, 0::2]), to_mono(block[:, 1::2])], axis=1)


def _resampled(blocks: Iterator[np.ndarray], before: int, rate: int, channels: int) -> Iterator[np.ndarray]:
    """Resamples blocks (samples, channels), or (samples,) for one channel, from rate `before` to `rate`."""
    if before == rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(before, rate, channels, dtype="float32")
    nothing = None
    for block in blocks:
        nothing = block[:0]
        yield stream.resample_chunk(np.ascontiguousarray(block))
    if nothing is not None:
        yield stream.resample_chunk(np.ascontiguousarray(nothing), last=True)
