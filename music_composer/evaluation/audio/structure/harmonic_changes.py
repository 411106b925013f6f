"""The harmonic change rate: how often the sound changes to another one, without naming chords.

The novelty of a moment is the difference between the levels per semitone after it and before it (Foote 2000, "Automatic
audio segmentation using a measure of audio novelty", with two means in place of a checkerboard). A harmonic change is a
peak of the novelty. Music that is stuck on a chord, or fades slowly from one into the next, sounds right in every half
second; here it scores lower than real music.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from music_composer.errors import OptionError
from music_composer.evaluation.audio.signal.spectra import Array


@dataclass(frozen=True)
class HarmonicChangeOptions:
    """What counts as a harmonic change."""

    frames: int = 3  # of semitone levels on either side, 0.09 s each; changes are no closer than this
    range_db: float = 40.0  # levels further below the loudest of the two sides are raised to this
    share: float = 0.8  # quantile of the novelty of the training music above which peaks count

    def __post_init__(self) -> None:
        if self.frames < 1 or not self.range_db > 0 or not 0 < self.share < 1:
            raise OptionError(f"{self}: everything must be above 0, and share below 1.")


def novelty(levels: Array, options: HarmonicChangeOptions) -> NDArray[np.float64]:
    """Returns the root mean square difference of the levels after each moment from those before it, dB.

    levels: (frames, semitones), dB. Shape: (frames - 2 options.frames + 1,), empty for less music than that.
    """
    width = options.frames
    sums = np.concatenate([np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0, dtype=np.float64)])
    means = (sums[width:] - sums[:-width]) / width
    before, after = means[:-width], means[width:]
    audible = np.maximum(before, after).max(axis=1, initial=-np.inf, keepdims=True) - options.range_db
    step = np.maximum(after, audible) - np.maximum(before, audible)
    difference: NDArray[np.float64] = np.sqrt(np.mean(step**2, axis=1))
    return difference


def threshold_of(training: Sequence[Array], options: HarmonicChangeOptions) -> float:
    """Returns the novelty from which a peak counts, from levels of the training music.

    It is infinite where that is too short.
    """
    moments = np.concatenate([novelty(levels, options) for levels in training])
    return float(np.quantile(moments, options.share)) if len(moments) else float("inf")


def harmonic_changes(levels: Array, threshold: float, options: HarmonicChangeOptions) -> NDArray[np.int64]:
    """Returns the frames of levels (frames, semitones) at which another sound begins."""
    # Padded, so that a change at the first or the last moment is a peak too.
    course = np.pad(novelty(levels, options), 1, constant_values=-np.inf)
    peaks: NDArray[np.int64] = scipy.signal.find_peaks(course, height=threshold, distance=options.frames)[0]
    return peaks - 1 + options.frames
