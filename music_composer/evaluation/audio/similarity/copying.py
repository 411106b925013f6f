"""Whether music was copied out of its training set: the longest run of it that is aligned to a training recording.

Every pair of frames of semitone levels gets a likeness; a run is a diagonal of alike pairs, at any offset and in any
of a few transpositions, after Smith & Waterman 1981 ("Identification of common molecular subsequences", J. Mol. Biol.
147, 195-197) without gaps: likeness above a threshold adds to a running score, likeness below takes away, and zero
begins anew. A cap on the score lets a short disagreement pass, but not a long one however long the run before it.

Music of one style shares chords and turns of phrase, and a chord that is held in both is a run too: read the figure
beside that of real music which was held out, and the likeness: what only resembles its source is less like it than
a copy is. Copies at another tempo (beyond about 2 %) are not found.
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
NEARLY = 0.9  # runs of so much of the longest one's length are as good as it


@dataclass(frozen=True)
class CopyOptions:
    """What counts as a copy; chosen by benchmarks/audio/copying_check.py."""

    spectrum: SemitoneOptions = SemitoneOptions()
    shifts: int = 2  # semitones up and down that a copy may be transposed by
    threshold: float = 0.55  # likeness, -1 to 1, from which a frame speaks for a copy: copies read 0.75 to 1, others 0
    cap: float = 3.0  # a run is whole from this score on; so much disagreement ends it
    surroundings: int = 13  # rows; levels are compared with their mean over so many
    quiet_db: float = -60.0  # frames without a louder row are silence, which is like nothing

    def __post_init__(self) -> None:
        if self.shifts < 0 or 2 * self.shifts >= self.spectrum.rows:
            raise OptionError(f"{self.shifts} shifts of {self.spectrum.rows} rows: at least one row must be left.")
        if not 0.0 < self.threshold < 1.0 or min(self.cap, self.surroundings) <= 0:
            raise OptionError(f"{self}: threshold must lie between 0 and 1, cap and surroundings above 0.")

    @property
    def fewest_frames(self) -> float:
        """Frames that a run needs to be whole, all of them being exactly alike: 0.6 s."""
        return self.cap / (1.0 - self.threshold)


@dataclass(frozen=True)
class Library:
    """The training recordings' levels, end to end."""

    levels: Levels  # (frames, rows), dB
    firsts: NDArray[np.intp]  # (recordings,): the frame each one begins with


@dataclass(frozen=True)
class Copy:
    """A run of the music that is aligned to a training recording. Positions and length in seconds."""

    seconds: float
    start: float
    source: int  # which training recording, counted from 0; -1 where nothing is aligned
    source_start: float
    shift: int  # semitones that the copy lies above its source
    likeness: float  # mean over the run's frames: 1 for the recording itself


NO_COPY = Copy(seconds=0.0, start=0.0, source=-1, source_start=0.0, shift=0, likeness=0.0)


def library_of(recordings: Sequence[Levels]) -> Library:
    """Of the levels (frames, rows) of each training recording.

    Raises MusicComposerError when there is none, or not a whole frame in any.
    """
    if not sum(map(len, recordings)):
        raise MusicComposerError(f"No music in {len(recordings)} training recordings: nothing to look for copies of.")
    firsts = np.cumsum([0, *(len(levels) for levels in recordings[:-1])])
    return Library(np.concatenate(recordings), firsts)


def library_of_files(paths: Iterable[str | PathLike[str]], options: CopyOptions) -> Library:
    """The same of files. Raises RecordingError when one cannot be read."""
    return library_of([semitones_of_file(path, options.spectrum) for path in paths])


def longest_copy(levels: Levels, library: Library, options: CopyOptions) -> Copy:
    """The longest run of music with these levels (frames, rows); NO_COPY, of 0 seconds, when there is none."""
    return next(iter(find_copies(levels, library, options)), NO_COPY)


def find_copies(levels: Levels, library: Library, options: CopyOptions, at_least: float = 0.0) -> list[Copy]:
    """Runs of at least so many seconds, longest first, that do not overlap in the music with these levels.

    levels: (frames, rows), dB. A run that overlaps a longer one is cut to what is left of it; of nearly equal runs the
    likest is taken. Time grows with the frames of the music times those of the library (8 s for ten minutes against an
    hour), memory with their sum. Raises MusicComposerError when a level is not a number.
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
    """What levels (frames, rows) stand out by from those around them, dB: neither gain nor a filter matters to it."""
    contrast = levels - scipy.ndimage.uniform_filter1d(levels, options.surroundings, axis=1, mode="nearest")
    return np.where(levels.max(axis=1, keepdims=True) > options.quiet_db, contrast, np.float32(0.0))


def _unit(contrast: Levels, first_row: int, options: CopyOptions) -> Levels:
    """The rows that are left at every shift, from first_row on, as vectors whose products are likenesses.

    Of length 1, or 0 in silence: (frames, rows - 2 * shifts).
    """
    rows = contrast[:, first_row : first_row + options.spectrum.rows - 2 * options.shifts]
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(SMALLEST_NORM))


@dataclass(frozen=True)
class _Runs:
    """For every frame of the music a run that ends there: shape (frames,), or (shifts, frames) before one is chosen."""

    lengths: NDArray[np.float32]  # frames; 0 where no run ends
    evidence: NDArray[np.float32]  # sum of likeness above threshold over the run
    columns: NDArray[np.int64]  # the library's frame that it ends at
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
    """Index along the first axis of the run with the most evidence of those that are nearly as long as the longest.

    A chord that moves slowly is like itself half a second later too, and repeats are as long as what they repeat.
    """
    nearly = (lengths > 0.0) & (lengths >= NEARLY * lengths.max(axis=0))
    return np.where(nearly, evidence, -np.inf).argmax(axis=0)


def _in_rows(wanted: Levels, sources: Levels) -> Iterator[Levels]:
    """Likeness of each frame in turn to all sources, (sources,)."""
    at_once = max(1, LIKENESSES_AT_ONCE // len(sources))
    for at in range(0, len(wanted), at_once):
        yield from wanted[at : at + at_once] @ sources.T


def _runs_at_one_shift(
    likeness: Iterable[Levels], library: Library, options: CopyOptions
) -> Iterator[tuple[float, float, int]]:
    """For each row the likest of the longest runs that are whole there: frames, evidence, the column it ends in.

    A run counts where its score is at the cap: what follows the last such frame is disagreement, not copy.
    """
    score, evidence, length = np.zeros((3, len(library.levels) + 1), np.float32)
    for row in likeness:
        row -= np.float32(options.threshold)
        score[library.firsts] = 0.0  # entry j is of the pair with source frame j - 1: no run goes on from file to file
        running = score[:-1] > 0.0
        length[1:] = length[:-1] * running + 1.0
        evidence[1:] = evidence[:-1] * running + row
        score[1:] = np.clip(score[:-1] + row, 0.0, options.cap)
        whole = length[1:] * (score[1:] >= options.cap)
        column = int(_likest(whole, evidence[1:]))
        yield float(whole[column]), float(evidence[column + 1]), column


def _copy(runs: _Runs, end: int, library: Library, options: CopyOptions) -> Copy:
    """The run that ends at that frame. A frame stands for the hop around its centre."""
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
