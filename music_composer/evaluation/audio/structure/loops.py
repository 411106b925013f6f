"""Loops: how often the most repeated segment of some music recurs almost identically.

Every segment is compared with every other by the cosine of their levels per semitone, as in a self-similarity matrix
(Foote 1999), summed along diagonals over four seconds. A chord or drone that is held for longer than 16 s is a loop
too, since it recurs without a change, and steady noise may be one; silence is not.

The threshold lies between measured values: music repeated sample by sample reads at least 0.89, even where the period
is half a frame off, noise is 30 dB below, or the frames went through the codec; music without repetition reads at most
0.8. But real music repeats itself too, more so the longer it is. Compare the figure with real music of equal length.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.spectra import Array

ROWS_AT_ONCE = 256
SOON = 2  # segments between the beginnings of two occurrences, at most, in a succession


@dataclass(frozen=True)
class LoopOptions:
    """What counts as a repetition."""

    seconds: float = 4.0  # of a segment
    similarity: float = 0.85  # cosine from which two segments are the same
    range_db: float = 40.0  # levels further below the loud ones count as silence: noise is found there
    most: int = 3  # occurrences of a segment that are not a loop

    def __post_init__(self) -> None:
        if not self.seconds > 0.0 or not 0.0 < self.similarity < 1.0 or not self.range_db > 0.0 or self.most < 1:
            raise OptionError(f"{self}: everything must be above 0, and similarity below 1.")


@dataclass(frozen=True)
class Repetition:
    """The most repeated segment of a recording."""

    starts: tuple[float, ...]  # seconds of its occurrences, to within one, without overlap; () in silence
    in_a_row: int = 0  # longest succession of any segment, each occurrence soon after the last

    @property
    def times(self) -> int:
        """Number of occurrences; 1 where nothing recurs."""
        return len(self.starts)


def most_repeated(levels: Array, frames_per_second: float, options: LoopOptions) -> Repetition:
    """Returns the segment with the most occurrences, the first of several, and where it occurs.

    levels: (frames, semitones), dB, about ten a second (see `semitones`). Loops of any period are found whose segments
    of options.seconds recur without overlap: a loop of 3 s occurs every 6 s. Time grows with the square of the length,
    a few seconds for 6,000 frames; memory grows with the length. Raises MusicComposerError for less than one segment.
    """
    length = _length(levels, frames_per_second, options)
    frames, sounding = _contrast(levels, length, options)
    best, starts, in_a_row = 0, np.empty(0, np.int64), 0
    for at in range(0, len(sounding), ROWS_AT_ONCE):
        alike = _alike(frames, sounding, at, length, options.similarity)
        counts, chains = _count_apart(alike, length)
        in_a_row = max(in_a_row, int(chains.max(initial=0)))
        if counts.max(initial=0) > best:
            best, starts = int(counts.max()), _starts_apart(alike[counts.argmax()], length)
    return Repetition(tuple(starts / frames_per_second), in_a_row)


def returning(levels: Array, frames_per_second: float, options: LoopOptions) -> float:
    """Returns the share of the sounding segments that recur elsewhere without overlap; NaN in silence.

    levels: as for `most_repeated`, with the same errors.
    """
    length = _length(levels, frames_per_second, options)
    frames, sounding = _contrast(levels, length, options)
    places, again = np.arange(len(sounding)), np.zeros(len(sounding), bool)
    for at in range(0, len(sounding), ROWS_AT_ONCE):
        alike = _alike(frames, sounding, at, length, options.similarity)
        rows = places[at : at + len(alike)]
        again[rows] = (alike & (abs(rows[:, None] - places) >= length)).any(axis=1)
    return float(again[sounding].mean()) if sounding.any() else float("nan")


def is_loop(repetition: Repetition, options: LoopOptions) -> bool:
    """Returns whether a segment occurs more than `options.most` times."""
    return repetition.times > options.most


def is_stuck(repetition: Repetition, options: LoopOptions) -> bool:
    """Returns whether it does so in succession: that is heard as a loop, while a theme that returns later is not."""
    return repetition.in_a_row > options.most


def _length(levels: Array, frames_per_second: float, options: LoopOptions) -> int:
    """Returns the frames of a segment."""
    length = round(options.seconds * frames_per_second)
    if length < 1 or len(levels) < length:
        seconds = len(levels) / frames_per_second
        raise MusicComposerError(f"{seconds:.1f} s are too short to look for loops: give at least {options.seconds} s.")
    return length


def _contrast(levels: Array, length: int, options: LoopOptions) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns frames less their mean, so that silence is zero, and which segments sound.

    A segment sounds if at least half its frames do.
    """
    peaks = levels.max(axis=1)
    floor = np.percentile(peaks, 95) - options.range_db  # a percentile, so that one click does not silence the rest
    floored = np.maximum(levels, max(floor, levels.min())).astype(np.float32)
    sounds = np.lib.stride_tricks.sliding_window_view(floored.max(axis=1) > floored.min(axis=1), length)
    return floored - floored.mean(axis=1, keepdims=True), sounds.mean(axis=1) >= 0.5


def _alike(
    frames: NDArray[np.float32], sounding: NDArray[np.bool_], at: int, length: int, similarity: float
) -> NDArray[np.bool_]:
    """Returns which segments equal the segments from `at` on: (at most ROWS_AT_ONCE, segments)."""
    count = len(sounding)
    rows = min(ROWS_AT_ONCE, count - at)
    products = frames[at : at + rows + length - 1] @ frames.T
    dots = sum(products[i : i + rows, i : i + count] for i in range(length))
    energy = np.convolve(np.square(frames).sum(axis=1), np.ones(length), mode="valid").clip(1e-9)
    alike = dots >= similarity * np.sqrt(energy[at : at + rows, None] * energy)
    return alike & sounding & sounding[at : at + rows, None]


def _count_apart(alike: NDArray[np.bool_], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Counts columns of each row that are at least `length` apart, and the longest succession of them.

    Columns are in succession when less than another `length` lies between them. Taking the first one each time is
    optimal.
    """
    rows, count = alike.shape
    columns = np.where(alike, np.arange(count), count)
    following = np.minimum.accumulate(columns[:, ::-1], axis=1)[:, ::-1]  # the next alike column
    following = np.pad(following, ((0, 0), (0, length)), constant_values=count)
    place, (counts, chain, longest) = following[:, 0], np.zeros((3, rows), np.int64)
    before = np.full(rows, -count - length)
    while (found := place < count).any():
        counts += found
        chain = np.where(place - before <= SOON * length, chain + 1, 1)
        longest = np.maximum(longest, np.where(found, chain, 0))
        before = place
        place = following[np.arange(rows), np.minimum(place + length, count)]
    return counts, longest


def _starts_apart(alike: NDArray[np.bool_], length: int) -> NDArray[np.int64]:
    """Returns the columns that `_count_apart` counts, for one row."""
    starts: list[int] = []
    for column in np.flatnonzero(alike):
        if not starts or column - starts[-1] >= length:
            starts.append(int(column))
    return np.array(starts, np.int64)
