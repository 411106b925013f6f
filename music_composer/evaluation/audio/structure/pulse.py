"""Pulse: how similar the pattern of onsets is to itself some time later.

Onsets are the rise of log-mel bands (spectral flux, Bello et al. 2005, "A tutorial on onset detection in music
signals"). A pulse is a peak of their autocorrelation (as in Scheirer 1998, "Tempo and beat analysis of acoustic musical
signals"). Clarity measures any beat within seconds. Steadiness measures whether beats are still in phase two bars
later, which music that is spliced off the beat loses first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError

Array = NDArray[np.floating[Any]]
MIN_OVERLAP = 2.0  # seconds of onsets that are correlated, at least
SHARPNESS = 4  # power of a lag's correlation that weighs it
SMOOTHING = np.hanning(7)[1:-1] / np.hanning(7).sum()  # frames: onsets 12 ms apart are heard as one


@dataclass(frozen=True)
class PulseOptions:
    """Lags and windows in seconds."""

    beat: tuple[float, float] = (0.25, 2.0)  # lags of a beat or a bar
    beat_window: float = 6.0  # length of a window for clarity
    later: tuple[float, float] = (4.0, 8.0)  # lags after which the pattern should still be in phase
    later_window: float = 12.0
    every: float = 1.0  # from one window to the next
    range_db: float = 50.0  # levels further below the loudest are raised to this

    def __post_init__(self) -> None:
        for (low, high), window in ((self.beat, self.beat_window), (self.later, self.later_window)):
            if not 0.0 < low < high < window:
                raise OptionError(f"{self}: lags must rise from above 0 and end below their window.")
        if min(self.every, self.range_db) <= 0.0:
            raise OptionError(f"{self}: every and range_db must be above 0.")


def onset_strength(levels: Array, options: PulseOptions) -> NDArray[np.float64]:
    """Returns the mean rise of the bands into each frame, slightly smoothed: (frames,), dB; the first is 0.

    levels: (frames, bands), dB (`frechet_distance.log_mel`). The level of the music does not matter.
    """
    floored = np.maximum(levels, levels.max(initial=-np.inf) - options.range_db)
    rise = np.maximum(np.diff(floored, axis=0, prepend=floored[:1]), 0.0).mean(axis=1, dtype=np.float64)
    smooth: NDArray[np.float64] = np.convolve(rise, SMOOTHING, mode="same")[: len(rise)]
    return smooth


def likeness_at_lags(strength: Array, lags: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Returns Pearson's correlation of onset strength (frames,) with itself at each lag: (lags,); 0 without onsets.

    Every lag must be shorter than the music by two frames.
    """
    result = np.zeros(len(lags))
    for i, lag in enumerate(lags):
        one, other = (part - part.mean() for part in (strength[:-lag], strength[lag:]))
        norm = np.sqrt((one @ one) * (other @ other))
        result[i] = one @ other / norm if norm > 1e-12 else 0.0
    return result


def clarity(strength: Array, frames_per_second: float, options: PulseOptions) -> float:
    """Returns the highest correlation at the lag of a beat, averaged over windows.

    A metronome reads 1, noise about 0.2. Raises MusicComposerError for less than one window.
    """
    return _mean_peak(strength, frames_per_second, options.beat, options.beat_window, options.every)


def steadiness(strength: Array, frames_per_second: float, options: PulseOptions) -> float:
    """Returns the same at lags of some bars. Raises MusicComposerError for less than one window."""
    return _mean_peak(strength, frames_per_second, options.later, options.later_window, options.every)


def predicted_onsets(before: Array, count: int, frames_per_second: float) -> NDArray[np.float64] | None:
    """Returns the onset strength (count,) that the pulse of `before` (frames,) predicts, or None for too few frames.

    The prediction repeats earlier onsets, at lags from `count` up to all but two seconds of `before`. Lags at which
    `before` resembles itself weigh most.
    """
    lags = np.arange(count, len(before) - round(MIN_OVERLAP * frames_per_second) + 1)
    if not count or not len(lags):
        return None
    weights = np.maximum(likeness_at_lags(before, lags), 0.0) ** SHARPNESS
    predicted: NDArray[np.float64] = weights @ sliding_window_view(before, count)[len(before) - lags]
    return predicted


def out_of_phase(expected: NDArray[np.float64] | None, after: Array) -> float:
    """Returns 1 - correlation of onset strength (frames,) with what was predicted: 0 to 2.

    The result is 1 without a prediction, without a pulse or without onsets.
    """
    if expected is None:
        return 1.0
    one, other = expected - expected.mean(), after - after.mean()
    norm = float(np.sqrt((one @ one) * (other @ other)))
    return 1.0 - float(one @ other) / norm if norm > 1e-12 else 1.0


def beat_seconds(strength: Array, frames_per_second: float, options: PulseOptions) -> float:
    """Returns the lag of the highest correlation over all of the music: a beat, or a small multiple of one."""
    lags = _lags(options.beat, frames_per_second)
    if len(strength) < lags[-1] + 2:
        raise _too_short(len(strength) / frames_per_second, lags[-1] / frames_per_second)
    return float(lags[likeness_at_lags(strength, lags).argmax()] / frames_per_second)


def _lags(seconds: tuple[float, float], frames_per_second: float) -> NDArray[np.int64]:
    return np.arange(round(seconds[0] * frames_per_second), round(seconds[1] * frames_per_second) + 1)


def _mean_peak(strength: Array, rate: float, lag: tuple[float, float], window: float, every: float) -> float:
    length, hop = round(window * rate), max(1, round(every * rate))
    if len(strength) < length:
        raise _too_short(len(strength) / rate, window)
    starts = range(0, len(strength) - length + 1, hop)
    lags = _lags(lag, rate)
    return float(np.mean([likeness_at_lags(strength[at : at + length], lags).max() for at in starts]))


def _too_short(has: float, needs: float) -> MusicComposerError:
    return MusicComposerError(f"{has:.1f} s are too short to look for a pulse: give at least {needs:g} s.")
