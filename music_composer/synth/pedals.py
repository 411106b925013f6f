"""When notes end that a pedal holds after their keys are up."""

from __future__ import annotations

import numpy as np

from music_composer.synth.controls import NEVER, Channel
from music_composer.values import Part

PITCH_BITS = 55  # of a tick below a pitch in one number


def held_until(part: Part, channel: Channel, end: int) -> np.ndarray:
    """The tick at which each note of a part stops sounding, int64 (notes,); never before its key is up.

    A sustain pedal holds what ends while it is down, a sostenuto pedal what is down when it is pressed. Both let go
    when they are lifted, at `end` if that never happens; the next note of the same pitch and all sound off end a held
    note as well.
    """
    start, stop = part.notes["start"], part.notes["stop"]
    held = np.maximum(_by_sostenuto(start, stop, channel.sostenuto), _by_sustain(stop, channel.sustain))
    held = np.where(held == NEVER, end, held)
    if len(channel.silenced):
        held = np.minimum(held, _next(np.append(channel.silenced, NEVER), stop))
    return np.maximum(stop, np.minimum(held, _restruck(part.notes)))


def _by_sustain(stop: np.ndarray, spans: np.ndarray) -> np.ndarray:
    if not len(spans):
        return stop
    number = np.searchsorted(spans[:, 0], stop, side="right") - 1
    lift = spans[np.maximum(number, 0), 1]
    # A key that is up at the very tick at which the pedal is lifted ends there, even if the pedal is pressed again.
    held = (number >= 0) & (stop < lift) & ~np.isin(stop, spans[:, 1])
    return np.where(held, lift, stop)


def _by_sostenuto(start: np.ndarray, stop: np.ndarray, spans: np.ndarray) -> np.ndarray:
    if not len(spans):
        return stop
    number = np.searchsorted(spans[:, 0], stop, side="left") - 1  # the last press before the key is up
    press, lift = spans[np.maximum(number, 0)].T
    return np.where((number >= 0) & (start <= press), np.maximum(stop, lift), stop)


def _restruck(notes: np.ndarray) -> np.ndarray:
    """When the same pitch is struck next, after a note has ended."""
    pitch = notes["pitch"].astype(np.int64) << PITCH_BITS
    strikes = np.sort(pitch | notes["start"])
    following = _next(np.append(strikes, np.iinfo(np.int64).max), pitch | notes["stop"])
    return np.where(following >> PITCH_BITS == notes["pitch"], following & ((1 << PITCH_BITS) - 1), NEVER)


def _next(times: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The first of the sorted `times` that is not before each of `after`."""
    return np.asarray(times[np.searchsorted(times, after)])
