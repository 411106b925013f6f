"""A part in seconds: when its notes begin and end, and how its gain, place and pitch change meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.synth.controls import Automation, channel_of
from music_composer.synth.pedals import held_until
from music_composer.values import Part, Score

PEDAL_SECONDS = 30.0  # that a pedal holds a note at most after its key is up
RAMP_SECONDS = 0.01  # over which a change of gain, place or pitch spreads, so that it does not click


@dataclass(frozen=True)
class Timeline:
    """starts, stops: seconds, (notes,); gain, pan, pitch: as in `Channel`, their times in seconds."""

    starts: np.ndarray
    stops: np.ndarray
    gain: Automation
    pan: Automation
    pitch: Automation

    @property
    def end(self) -> float:
        """When the last note stops, in seconds."""
        return float(self.stops.max(initial=0.0))


def timeline_of(score: Score, part: Part) -> Timeline:
    """The pedals hold notes, not drums; drums are not bent."""
    channel = channel_of(part)
    starts, stops = (seconds_at(score, part.notes[field]) for field in ("start", "stop"))
    if not part.drums and (len(channel.sustain) or len(channel.sostenuto)):
        held = seconds_at(score, held_until(part, channel, score.ticks))
        stops = np.maximum(stops, np.minimum(held, stops + PEDAL_SECONDS))
    changes = (
        Automation(seconds_at(score, each.times), each.values) for each in (channel.gain, channel.pan, channel.pitch)
    )
    return Timeline(starts, stops, *changes)


def changes_within(changes: Automation, starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which value each note begins with, and which it ends with: indices, (notes,) each. What changes at the very
    start counts from the beginning, what changes at the very end does not count.
    """
    first = np.searchsorted(changes.times, starts, side="right")
    return first, np.maximum(first, np.searchsorted(changes.times, stops, side="left"))


def ramps(changes: Automation, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """The points (times, values) of the line that goes from value `first` to value `last`, for interpolation."""
    times = changes.times[first:last]
    reached = np.minimum(times + RAMP_SECONDS, np.append(times[1:], np.inf))
    values = np.stack([changes.values[first:last], changes.values[first + 1 : last + 1]], axis=1)
    return np.stack([times, reached], axis=1).ravel(), values.ravel()
