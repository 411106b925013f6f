"""Finds copies of the training set: the longest run of some music that is aligned to a training recording.

Every pair of frames of semitone levels gets a likeness. A run is a diagonal of alike pairs, at any offset and in a few
transpositions, after Smith and Waterman 1981 ("Identification of common molecular subsequences", J. Mol. Biol. 147,
195-197) without gaps: likeness above a threshold adds to a running score, likeness below subtracts, and at zero a new
run begins. A cap on the score lets a short disagreement pass, but not a long one, however long the run before it.

Music of one style shares chords and phrases, and a chord that is held in both is a run too. So compare the figure with
that of held-out music, and look at the likeness: music that only resembles its source is less like it than a copy is.
Copies at another tempo (beyond about 2 %) are not found.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError
from music_composer.evaluation.audio.signal.semitones import SemitoneOptions, semitones_of_file

Levels = NDArray[np.float32]
LIKENESSES_AT_ONCE = 1 << 22  # 16 MB
SMALLEST_NORM = 1e-3  # dB
NEARLY = 0.9  # runs of this share of the longest one's length count as equally long


@dataclass(frozen=True)
class CopyOptions:
    """What counts as a copy, chosen with benchmarks/audio/copying_check.py."""

    spectrum: SemitoneOptions = SemitoneOptions()
    shifts: int = 2  # semitones up and down that a copy may be transposed by
    threshold: float = 0.55  # likeness, -1 to 1, from which a frame speaks for a copy: copies read 0.75 to 1, others 0
    cap: float = 3.0  # a run is complete from this score on; that much disagreement ends it
    surroundings: int = 13  # rows; levels are compared relative to their mean over this many
    quiet_db: float = -60.0  # frames without a louder row are silent and like nothing

    def __post_init__(self) -> None:
        if self.shifts < 0 or 2 * self.shifts >= self.spectrum.rows:
            raise OptionError(f"{self.shifts} shifts of {self.spectrum.rows} rows: at least one row must be left.")
        if not 0.0 < self.threshold < 1.0 or min(self.cap, self.surroundings) <= 0:
            raise OptionError(f"{self}: threshold must lie between 0 and 1, cap and surroundings above 0.")

    @property
    def fewest_frames(self) -> float:
        """Frames of the shortest complete run, if all frames are exactly alike: 0.6 s."""
        return self.cap / (1.0 - self.threshold)


@dataclass(frozen=True)
class Library:
    """The levels of all training recordings, concatenated."""

    levels: Levels  # (frames, rows), dB
    firsts: NDArray[np.intp]  # (recordings,): the first frame of each


@dataclass(frozen=True)
class Copy:
    """A run that is aligned to a training recording. Positions and length in seconds."""

    seconds: float
    start: float
    source: int  # number of the training recording; -1 where nothing is aligned
    source_start: float
    shift: int  # semitones that the copy lies above its source
    likeness: float  # mean over the run's frames: 1 for the recording itself


NO_COPY = Copy(seconds=0.0, start=0.0, source=-1, source_start=0.0, shift=0, likeness=0.0)


def library_of(recordings: Sequence[Levels]) -> Library:
    """Concatenates the levels (frames, rows) of training recordings.

    Raises MusicComposerError when there is not a whole frame in any.
    """
    if not sum(map(len, recordings)):
        raise MusicComposerError(f"No music in {len(recordings)} training recordings: nothing to look for copies of.")
    firsts = np.cumsum([0, *(len(levels) for levels in recordings[:-1])])
    return Library(np.concatenate(recordings), firsts)


def library_of_files(paths: Iterable[str | PathLike[str]], options: CopyOptions) -> Library:
    """Returns the library of files. Raises RecordingError when one cannot be read."""
    return library_of([semitones_of_file(path, options.spectrum) for path in paths])


def longest_copy(levels: Levels, library: Library, options: CopyOptions) -> Copy:
    """Returns the longest run in levels (frames, rows); NO_COPY, of 0 seconds, when there is none."""
    return next(iter(find_copies(levels, library, options)), NO_COPY)


def find_copies(levels: Levels, library: Library, options: CopyOptions, at_least: float = 0.0) -> list[Copy]:
    """Returns runs of at least `at_least` seconds, longest first, which do not overlap in the given levels.

    levels: (frames, rows), dB. A run that overlaps a longer one is cut to the rest of it. Of nearly equal runs, the
    most similar one counts. Time grows with the frames of the music times those of the library (8 s for ten minutes
    against an hour), memory with their sum. Raises MusicComposerError when a level is not a number.
    """
    if not (np.isfinite(levels).all() and np.isfinite(library.levels).all()):
        raise MusicComposerError("The music to be compared holds samples that are not numbers (NaN or infinite).")
    runs = _runs_by_end(levels, library, options)
    ends = np.arange(len(levels))
    fewest = max(options.fewest_frames, at_least * options.spectrum.frames_per_second)
    found = []
    while len(levels) and runs.lengths.max() >= fewest:
        longest = int(runs.lengths.argmax())
        near = (ends <= longest) & (ends >= longest - (1.0 - NEARLY) * runs.lengths[longest])
        end = int(_likest(np.where(near, runs.lengths, 0), runs.evidence))
        begin = end - int(runs.lengths[end]) + 1
        found.append(_copy(runs, end, library, options))
        left = np.where(ends > end, np.minimum(runs.lengths, ends - end), runs.lengths)
        left[begin : end + 1] = 0
        runs.evidence[:] *= left / np.maximum(runs.lengths, 1)
        runs.lengths[:] = left
    return sorted(found, key=lambda copy: copy.seconds, reverse=True)


def _contrast(levels: Levels, options: CopyOptions) -> Levels:
    """Returns levels (frames, rows) less the mean of their neighbours, dB: neither gain nor a filter matters."""
    contrast = levels - scipy.ndimage.uniform_filter1d(levels, options.surroundings, axis=1, mode="nearest")
    return np.where(levels.max(axis=1, keepdims=True) > options.quiet_db, contrast, np.float32(0.0))


def _unit(contrast: Levels, first_row: int, options: CopyOptions) -> Levels:
    """Returns the rows from first_row on that remain at every shift, as vectors whose products are likenesses.

    Shape: (frames, rows - 2 * shifts); length 1, or 0 in silence.
    """
    rows = contrast[:, first_row : first_row + options.spectrum.rows - 2 * options.shifts]
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(SMALLEST_NORM))


@dataclass(frozen=True)
class _Runs:
    """A run that ends at each frame of the music: (frames,), or (shifts, frames) before a shift is chosen."""

    lengths: NDArray[np.float32]  # frames; 0 where no run ends
    evidence: NDArray[np.float32]  # sum of likeness above threshold over the run
    columns: NDArray[np.int64]  # the frame of the library at which it ends
    shifts: NDArray[np.int64]  # semitones


def _runs_by_end(levels: Levels, library: Library, options: CopyOptions) -> _Runs:
    music, sources = (_contrast(each, options) for each in (levels, library.levels))
    wanted = _unit(music, options.shifts, options)
    shifts = range(-options.shifts, options.shifts + 1)
    found = np.zeros((3, len(shifts), len(levels)))
    for i, shift in enumerate(shifts):
        likeness = _in_rows(wanted, _unit(sources, options.shifts - shift, options))
        for end, run in enumerate(_runs_at_one_shift(likeness, library, options)):
            found[:, i, end] = run
    best = _likest(found[0], found[1])
    lengths, evidence, columns = found[:, best, np.arange(len(levels))]
    return _Runs(lengths, evidence, columns.astype(np.int64), best - options.shifts)


def _likest(lengths: NDArray[np.floating], evidence: NDArray[np.floating]) -> NDArray[np.intp]:
    """Returns the index, along the first axis, of the run with the most evidence among the nearly longest.

    A slow chord is like itself half a second later too, and repeats are as long as their originals.
    """
    nearly = (lengths > 0.0) & (lengths >= NEARLY * lengths.max(axis=0))
    return np.where(nearly, evidence, -np.inf).argmax(axis=0)


def _in_rows(wanted: Levels, sources: Levels) -> Iterator[Levels]:
    """Yields the likeness of each frame to all frames of the library, (sources,)."""
    at_once = max(1, LIKENESSES_AT_ONCE // len(sources))
    for at in range(0, len(wanted), at_once):
        yield from wanted[at : at + at_once] @ sources.T


def _runs_at_one_shift(
    likeness: Iterable[Levels], library: Library, options: CopyOptions
) -> Iterator[tuple[float, float, int]]:
    """Yields, for each frame, the best of the longest complete runs that end there: frames, evidence and column.

    A run counts where its score is at the cap: frames after the last such one are disagreement, not copy.
    """
    score, evidence, length = np.zeros((3, len(library.levels) + 1), np.float32)
    for row in likeness:
        row -= np.float32(options.threshold)
        score[library.firsts] = 0.0  # entry j belongs to source frame j - 1: runs end with their file
        # A diagonal step: the pair before is one frame earlier in both.
        running = score[:-1] > 0.0
        length[1:] = length[:-1] * running + 1.0
        evidence[1:] = evidence[:-1] * running + row
        score[1:] = np.clip(score[:-1] + row, 0.0, options.cap)
        whole = length[1:] * (score[1:] >= options.cap)
        column = int(_likest(whole, evidence[1:]))
        yield float(whole[column]), float(evidence[column + 1]), column


def _copy(runs: _Runs, end: int, library: Library, options: CopyOptions) -> Copy:
    """Returns the run that ends at a frame. A frame stands for the hop around its centre."""
    length, spectrum = int(runs.lengths[end]), options.spectrum
    first = int(runs.columns[end]) - length + 1
    source = int(np.searchsorted(library.firsts, runs.columns[end], side="right")) - 1
    edge = (spectrum.fft - spectrum.hop) / 2 / spectrum.rate
    return Copy(
        seconds=length / spectrum.frames_per_second,
        start=(end - length + 1) / spectrum.frames_per_second + edge,
        source=source,
        source_start=(first - int(library.firsts[source])) / spectrum.frames_per_second + edge,
        shift=int(runs.shifts[end]),
        likeness=float(runs.evidence[end]) / length + options.threshold,
    )
