"""The one reader of recordings: prepare, prompts, infill, the copy check and the measures all hear what it reads.

Whatever libsndfile decodes (any rate, width and channel count) comes out as blocks of float32 stereo or mono at the
rate asked for. No header is believed: what is decoded is counted. What is mended is said in `Reading.remarks`. Every
failure is a RecordingError that names the file, whatever the decoder raises.
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

PEEK_SECONDS = 0.5  # blocks of the look for a sample that is not quiet
LANDMARK_SAMPLES = 16  # kept of the beginning of every block of a compressed recording
REMEMBERED = 1024  # recordings whose length is known

# ITU-R BS.775 for L R C LFE Ls Rs, scaled so that full-scale sound on all channels stays full scale.
SURROUND_TO_STEREO = np.array([[1, 0], [0, 1], [0.7071, 0.7071], [0, 0], [0.7071, 0], [0, 0.7071]]) / 2.4142


@dataclasses.dataclass
class Reading:
    """One recording while it is being read. `remarks` fills as the blocks pass."""

    path: Path
    rate: int  # of the file
    channels: int  # of the blocks: 1 or 2
    seconds: float  # that the header promises; 0 where it says nothing
    stamp: Stamp  # of the file before it was read: reading to the end makes sure that it has stayed the same
    gain: float = 1.0  # that its samples were multiplied by: a power of two
    remarks: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Survey:
    """What is known of a recording when all of it has been decoded once.

    frames: samples at `rate` that there are. channels: 1 or 2, after mixing down. exact: any place can be gone to.
    landmarks: (place, what was decoded there): a decoder that is sent to a place shows by them that it is there.
    """

    rate: int
    frames: int
    channels: int
    exact: bool
    remarks: tuple[str, ...]
    landmarks: tuple[tuple[int, np.ndarray], ...] = ()


def read_blocks(path: Path, rate: int) -> tuple[Reading, Iterator[np.ndarray]]:
    """Streams a recording at `rate` as float32 blocks of shape (samples, channels), channels 1 or 2.

    Raises RecordingError when it cannot be opened, or changes while it is read. What cannot be decoded ends the stream
    with a remark.
    """
    stamp = stamp_of(path)
    header = _header(path, stamp)
    channels, seconds, gain = min(header.channels, 2), header.promised / header.rate, header.scale.gain
    reading = Reading(path, header.rate, channels, seconds, stamp, gain, list(header.remarks))

    def blocks() -> Iterator[np.ndarray]:
        with open_recording(path) as source:
            for block in blocks_of(source, reading.remarks):
                yield _stereo(cleaned(block, reading.gain, reading.remarks))
        _require_unchanged(path, stamp)

    return reading, _resampled(blocks(), reading.rate, rate, reading.channels)


def read_excerpt(path: Path, rate: int, start: float, seconds: float) -> Waveform:
    """Reads `seconds` from `start` (seconds) of a recording, resampled as one piece; shorter at the file's end."""
    known = survey(path)
    first = _place(start, known)
    last = min(known.frames, first + _place(seconds, known))
    block = np.concatenate([np.zeros((0, known.channels), np.float32), *read_span(path, first, last)])
    if known.rate != rate and len(block):
        block = soxr.resample(block, known.rate, rate)
    return Waveform(block, rate)


def seconds_of(path: Path) -> float:
    """Length of a recording, in seconds: counted, where else the header would have to be believed."""
    known = survey(path)
    return known.frames / known.rate


def survey(path: Path) -> Survey:
    """What decoding all of it shows; remembered while the file stays the same. Raises RecordingError."""
    return _surveyed(path, stamp_of(path))


def read_span(path: Path, first: int, last: int) -> Iterator[np.ndarray]:
    """Samples first..last of the file, at its own rate, as blocks (samples, 1 or 2)."""
    stamp = stamp_of(path)
    known, gain = _surveyed(path, stamp), _header(path, stamp).scale.gain
    left = min(last, known.frames) - first
    if left <= 0:
        return
    for block in _decoded_from(path, known, first, left):
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
    """Blocks of samples (n,) at `rate`, channels averaged, from second `start` to second `stop` of the recording.

    trim_db: leave out what comes before the first and after the last sample louder than this, dB re full scale.
    """
    stamp = stamp_of(path)
    known = _surveyed(path, stamp)
    first, last = (0, known.frames) if trim_db is None else _sounding_span(path, stamp, trim_db)
    first, last = max(first, _place(start, known)), min(last, _place(stop, known))
    yield from _resampled((to_mono(block) for block in read_span(path, first, last)), known.rate, rate, 1)


def mono_samples(
    path: Path, rate: int, start: float = 0.0, stop: float = math.inf, trim_db: float | None = None
) -> np.ndarray:
    """The same in one piece."""
    return np.concatenate([np.empty(0, np.float32), *mono_blocks(path, rate, start, stop, trim_db)])


def is_silent(path: Path, trim_db: float) -> bool:
    """Whether no sample of a recording is louder than this, dB re full scale."""
    return _sounding_span(path, stamp_of(path), trim_db)[1] == 0


def sounding_seconds(path: Path, trim_db: float) -> tuple[float, float]:
    """Where the first and the last sample lie that are louder than this, dB re full scale; (0, 0) in silence."""
    first, last = _sounding_span(path, stamp_of(path), trim_db)
    rate = survey(path).rate
    return first / rate, last / rate


def side_and_mid(path: Path, start: float = 0.0, stop: float = math.inf) -> NDArray[np.float64]:
    """Energy of half the difference and of half the sum of left and right, (2,); a mono recording has no side.

    Silent ends add nothing to either.
    """
    known = survey(path)
    energy = np.zeros(2)
    for block in read_span(path, _place(start, known), _place(stop, known)):
        left, right = block[:, 0], block[:, -1]
        energy += np.sum(np.square(np.stack([left - right, left + right]) / 2), axis=1, dtype=np.float64)
    return energy


def to_mono(samples: np.ndarray) -> np.ndarray:
    """(n,) or (n, channels) -> (n,)."""
    return samples if samples.ndim == 1 else samples.mean(axis=1)


@dataclasses.dataclass(frozen=True)
class _Header:
    """What is known of a recording before it is read. channels: of the file. promised: samples, 0 for unknown."""

    rate: int
    channels: int
    promised: int
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
        return _Header(source.rate, source.channels, source.promised, source.exact, source.is_float, scale, remarks)


@functools.lru_cache(REMEMBERED)
def _surveyed(path: Path, stamp: Stamp) -> Survey:
    header = _header(path, stamp)
    remarks = list(header.remarks)
    channels = min(header.channels, 2)
    if header.exact and not header.is_float:  # nothing can break, and integers are always numbers
        return Survey(header.rate, header.promised, channels, True, tuple(remarks))
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
    """The first sample that is louder, and one past the last; as channels averaged."""
    threshold = 10.0 ** (trim_db / 20.0)
    first, last, at = 0, 0, 0
    for block in read_span(path, 0, _surveyed(path, stamp).frames):
        loud = np.flatnonzero(np.abs(block).max(axis=1) > threshold)
        if len(loud):
            first, last = (first if last else at + int(loud[0])), at + int(loud[-1]) + 1
        at += len(block)
    return first, last


def _decoded_from(path: Path, known: Survey, first: int, count: int) -> Iterator[np.ndarray]:
    """Blocks as decoded that begin at sample `first`; they may be more than `count` samples."""
    place, mark = first, np.zeros((0, 1), np.float32)
    if not known.exact:
        before = [each for each in known.landmarks if each[0] + LANDMARK_SAMPLES <= first]
        place, mark = before[-1] if before else (0, mark)
    if place:
        with open_recording(path, to_seek=True) as source:
            if source.file.go_to(place, mark):  # else all of it is decoded
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


def _place(seconds: float, known: Survey) -> int:
    """The sample at a time, within the recording."""
    return round(min(max(0.0, seconds * known.rate), known.frames))


def _stereo(block: np.ndarray) -> np.ndarray:
    """(samples, any) to (samples, 1 or 2)."""
    channels = block.shape[1]
    if channels <= 2:
        return block
    if channels == len(SURROUND_TO_STEREO):
        return block @ SURROUND_TO_STEREO.astype(np.float32)
    return np.stack([block[:, 0::2].mean(axis=1), block[:, 1::2].mean(axis=1)], axis=1)


def _resampled(blocks: Iterator[np.ndarray], before: int, rate: int, channels: int) -> Iterator[np.ndarray]:
    """Blocks (samples, channels), or (samples,) where there is one channel."""
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
