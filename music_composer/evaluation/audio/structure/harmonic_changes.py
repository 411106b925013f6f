"""How often the sound turns into another one: the chords a second, without knowing what a chord is.

Novelty of a moment: how far the levels per semitone after it differ from those before it (Foote 2000, "Automatic audio
segmentation using a measure of audio novelty", with the two means in place of a checkerboard). A turn is its peak. A
continuation that is caught in a chord, or fades slowly from one into the next, sounds right in every half second and
tells nobody; here it reads less than music does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from music_composer.errors import OptionError
from music_composer.evaluation.audio.signal.spectra import Array


@dataclass(frozen=True)
class TurnOptions:
    """What counts as a turn."""

    frames: int = 3  # of semitone levels on either side of a moment, 0.09 s each; turns are no closer than this
    range_db: float = 40.0  # levels further below the loudest of the two sides are not heard
    share: float = 0.8  # of the moments of the training music, which are no turns

    def __post_init__(self) -> None:
        if self.frames < 1 or not self.range_db > 0 or not 0 < self.share < 1:
            raise OptionError(f"{self}: everything must be above 0, and share below 1.")


def novelty(levels: Array, options: TurnOptions) -> NDArray[np.float64]:
    """Root mean square difference of the levels after each moment from those before it, dB.

    levels: (frames, semitones), dB. Returns (frames - 2 options.frames + 1,), nothing for less music than that.
    """
    width = options.frames
    sums = np.concatenate([np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0, dtype=np.float64)])
    means = (sums[width:] - sums[:-width]) / width
    before, after = means[:-width], means[width:]
    audible = np.maximum(before, after).max(axis=1, initial=-np.inf, keepdims=True) - options.range_db
    step = np.maximum(after, audible) - np.maximum(before, audible)
    difference: NDArray[np.float64] = np.sqrt(np.mean(step**2, axis=1))
    return difference


def threshold_of(training: Sequence[Array], options: TurnOptions) -> float:
    """The novelty from which a peak counts, from the levels of the training music; infinite where that is too short."""
    moments = np.concatenate([novelty(levels, options) for levels in training])
    return float(np.quantile(moments, options.share)) if len(moments) else float("inf")


def turns(levels: Array, threshold: float, options: TurnOptions) -> NDArray[np.int64]:
    """The frames of the levels (frames, semitones) with which another sound begins."""
    course = np.pad(novelty(levels, options), 1, constant_values=-np.inf)
    peaks: NDArray[np.int64] = scipy.signal.find_peaks(course, height=threshold, distance=options.frames)[0]
    return peaks - 1 + options.frames
