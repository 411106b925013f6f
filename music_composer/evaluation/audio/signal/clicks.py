"""Clicks: moments at which the upper half of the spectrum jumps up and falls back at once.

A click is as loud at high frequencies as at low ones, while music falls off. So it stands out in the upper half of the
music's own bandwidth (as in click detection by high-pass filtering, Godsill and Rayner 1998, "Digital Audio
Restoration", ch. 5). Cymbals and hard attacks jump up too, but ring on. The rate of real music shows what remains of
them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ClickOptions:
    """What counts as a click. Times in seconds."""

    jump_db: float = 20.0  # above the levels before and after
    frame: float = 0.003  # of a level
    beside: float = 0.02  # before and after a moment that it is compared with
    guard: float = 0.004  # around the moment, which is not compared: a click rings in the filter
    bandwidth_db: float = 60.0  # the music's bandwidth ends where its mean spectrum lies so far below its peak
    floor_db: float = -90.0  # re full scale; lower levels read this, so that dither does not click

    def __post_init__(self) -> None:
        if min(self.jump_db, self.frame, self.beside, self.guard, self.bandwidth_db) <= 0.0 or self.floor_db >= 0.0:
            raise OptionError(f"{self}: everything must be above 0, and floor_db below.")


def bandwidth(mono: Array, rate: int, options: ClickOptions) -> float:
    """Returns the bandwidth of samples (n,), full scale 1, in Hz. Raises MusicComposerError for less than 2048."""
    if len(mono) < 2048:
        raise MusicComposerError(f"{len(mono)} samples are too few for a spectrum: at least 2048 are needed.")
    frequencies, power = scipy.signal.welch(np.asarray(mono, np.float64), rate, nperseg=2048)
    # Without the constant component, which is inaudible and may be large.
    audible = np.flatnonzero(power[1:] > power[1:].max(initial=0.0) * 10.0 ** (-options.bandwidth_db / 10.0))
    return float(frequencies[1 + audible[-1]]) if len(audible) else rate / 2.0


def clicks(mono: Array, rate: int, above_hz: float, options: ClickOptions) -> NDArray[np.float64]:
    """Returns the seconds of clicks in samples (n,), full scale 1.

    above_hz: half the `bandwidth` of real music, since clicks widen the bandwidth of the music that contains them.
    Raises MusicComposerError when it does not lie between 0 and rate / 2.
    """
    if not 0.0 < above_hz < rate / 2:
        raise MusicComposerError(f"Clicks above {above_hz:g} Hz in music at {rate} Hz: give less than half the rate.")
    hop = max(1, round(options.frame * rate))
    high = scipy.signal.sosfilt(scipy.signal.butter(4, above_hz, "highpass", fs=rate, output="sos"), mono)
    frames = len(high) // hop
    power = np.square(high[: frames * hop], dtype=np.float64).reshape(frames, hop).mean(axis=1)
    level = 10.0 * np.log10(np.maximum(power, 10.0 ** (options.floor_db / 10.0)))
    beside, guard = max(1, round(options.beside / options.frame)), max(1, round(options.guard / options.frame))
    if frames < 2 * (beside + guard) + 1:
        return np.empty(0)
    # The upper quartile: higher than most of the surroundings, but blind to a single click among them.
    sides = np.quantile(np.lib.stride_tricks.sliding_window_view(level, beside), 0.75, axis=1)
    around = slice(beside + guard, frames - beside - guard)
    moments = np.arange(frames)[around]
    surroundings = np.maximum(sides[moments - guard - beside], sides[moments + guard + 1])
    leaps = np.where(level[around] > surroundings + options.jump_db, level[around], -np.inf)
    found = scipy.signal.find_peaks(np.pad(leaps, 1, constant_values=-np.inf), distance=beside)[0] - 1
    return (found + around.start + 0.5) * hop / rate
