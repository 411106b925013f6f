"""The ends of notes that a pedal holds after their keys are released."""

from __future__ import annotations

import numpy as np

from music_composer.synth.controls import NEVER, Channel
from music_composer.values import Part

PITCH_BITS = 55  # bits of the tick, in a sort key of pitch and tick


def release_ticks(part: Part, channel: Channel, end: int) -> np.ndarray:
    """The tick at which each note of a part stops sounding, int64 (notes,); never before its key is released.

    A sustain pedal holds notes that end while it is down. A sostenuto pedal holds notes that are active when it is
    pressed. Held notes end when the pedal is lifted (at `end` if it never is), at the next onset of their pitch, or at
    "all sound off".
    """
    start, stop = part.notes["start"], part.notes["stop"]
    held = np.maximum(_by_sostenuto(start, stop, channel.sostenuto), _by_sustain(stop, channel.sustain))
    held = np.where(held == NEVER, end, held)
    if len(channel.silenced):
        held = np.minimum(held, _next(np.append(channel.silenced, NEVER), stop))
    return np.maximum(stop, np.minimum(held, _next_onsets(part.notes)))


def _by_sustain(stop: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """When the sustain pedal lets notes go. spans: (times, 2), from `Channel`."""
    if not len(spans):
        return stop
    # The last press at or before the release.
    number = np.searchsorted(spans[:, 0], stop, side="right") - 1
    lift = spans[np.maximum(number, 0), 1]
    # A key released at the tick at which the pedal is lifted ends there, even if the pedal is pressed again at once.
    held = (number >= 0) & (stop < lift) & ~np.isin(stop, spans[:, 1])
    return np.where(held, lift, stop)


def _by_sostenuto(start: np.ndarray, stop: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """When the sostenuto pedal lets notes go. spans: (times, 2), from `Channel`."""
    if not len(spans):
        return stop
    number = np.searchsorted(spans[:, 0], stop, side="left") - 1  # the last press before the release
    press, lift = spans[np.maximum(number, 0)].T
    return np.where((number >= 0) & (start <= press), np.maximum(stop, lift), stop)


def _next_onsets(notes: np.ndarray) -> np.ndarray:
    """The next onset of each note's pitch after the note has ended."""
    pitch = notes["pitch"].astype(np.int64) << PITCH_BITS
    strikes = np.sort(pitch | notes["start"])
    following = _next(np.append(strikes, np.iinfo(np.int64).max), pitch | notes["stop"])
    return np.where(following >> PITCH_BITS == notes["pitch"], following & ((1 << PITCH_BITS) - 1), NEVER)


def _next(times: np.ndarray, after: np.ndarray) -> np.ndarray:
    """For each time in `after`, the first of the sorted `times` at or after it."""
    return np.asarray(times[np.searchsorted(times, after)])
