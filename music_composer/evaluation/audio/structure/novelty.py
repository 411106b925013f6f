"""Boundaries: strong peaks of novelty, as where music changes to another section or two pieces were spliced.

The novelty of a moment is the difference between the mean spectra of the second after it and the second before (Foote
2000, "Automatic audio segmentation using a measure of audio novelty"). Real music defines which peaks are strong, so
that it has about as many boundaries a minute as it has sections and breaks. Music that jumps has more; static or
blurred music has fewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class BoundaryOptions:
    """What counts as a boundary."""

    seconds: float = 1.0  # of music on either side of a moment
    apart: float = 0.5  # s; smallest distance of peaks
    quantile: float = 0.9  # of the peaks of real music; higher peaks are boundaries
    range_db: float = 50.0  # levels further below the loudest are raised to this

    def __post_init__(self) -> None:
        if min(self.seconds, self.apart, self.range_db) <= 0.0 or not 0.0 < self.quantile < 1.0:
            raise OptionError(f"{self}: everything must be above 0, and quantile below 1.")


def novelty(levels: Array, frames_per_second: float, options: BoundaryOptions) -> NDArray[np.float64]:
    """Returns the root mean square difference of the mean levels after and before each moment, dB.

    levels: (frames, bands), dB (`frechet_distance.log_mel`). Shape: (frames - 2 * width + 1,) with `width` frames on a
    side; empty for less music than that.
    """
    width = max(1, round(options.seconds * frames_per_second))
    floored = np.maximum(levels, levels.max(initial=-np.inf) - options.range_db)
    sums = np.concatenate([np.zeros((1, levels.shape[1])), np.cumsum(floored, axis=0, dtype=np.float64)])
    means = (sums[width:] - sums[:-width]) / width
    difference: NDArray[np.float64] = np.sqrt(np.mean((means[width:] - means[:-width]) ** 2, axis=1))
    return difference


def peaks(course: Array, frames_per_second: float, options: BoundaryOptions) -> NDArray[np.int64]:
    """Returns the places of the peaks of a novelty course (moments,)."""
    apart = max(1, round(options.apart * frames_per_second))
    found: NDArray[np.int64] = scipy.signal.find_peaks(course, distance=apart)[0]
    return found


def threshold_of(real: Sequence[Array], frames_per_second: float, options: BoundaryOptions) -> float:
    """Returns the novelty from which a peak is a boundary, from levels (frames, bands) of real music.

    Raises MusicComposerError when there is no peak in any.
    """
    courses = [novelty(levels, frames_per_second, options) for levels in real]
    heights = np.concatenate([np.empty(0), *(course[peaks(course, frames_per_second, options)] for course in courses)])
    if not len(heights):
        raise MusicComposerError("The real music is too short or stands still: there is no change to measure by.")
    return float(np.quantile(heights, options.quantile))


def boundaries(
    levels: Array, threshold: float, frames_per_second: float, options: BoundaryOptions
) -> NDArray[np.float64]:
    """Returns the seconds of the boundaries."""
    course = novelty(levels, frames_per_second, options)
    found = peaks(course, frames_per_second, options)
    width = max(1, round(options.seconds * frames_per_second))
    return (found[course[found] > threshold] + width) / frames_per_second


def boundaries_a_minute(
    music: Sequence[Array], threshold: float, frames_per_second: float, options: BoundaryOptions
) -> float:
    """Returns the boundaries a minute of several pieces; NaN without any moment.

    Only moments with a full side before and after them count.
    """
    count = sum(len(boundaries(levels, threshold, frames_per_second, options)) for levels in music)
    moments = sum(len(novelty(levels, frames_per_second, options)) for levels in music)
    return count / (moments / frames_per_second / 60.0) if moments else float("nan")
