"""A part in seconds: the beginnings and ends of its notes, and its gain, pan and pitch over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.synth.controls import Automation, channel_of
from music_composer.synth.pedals import release_ticks
from music_composer.values import Part, Score

PEDAL_SECONDS = 30.0  # longest time that a pedal holds a note
RAMP_SECONDS = 0.01  # length of a change of gain, pan or pitch: a jump would click


@dataclass(frozen=True)
class Timeline:
    """starts, stops: seconds, (notes,). gain, pan, pitch: as in `Channel`, with times in seconds."""

    starts: np.ndarray
    stops: np.ndarray
    gain: Automation
    pan: Automation
    pitch: Automation

    @property
    def end(self) -> float:
        """The end of the last note in seconds."""
        return float(self.stops.max(initial=0.0))


def timeline_of(score: Score, part: Part) -> Timeline:
    """The timeline of a part. Neither pedals nor pitch bend apply to drums."""
    channel = channel_of(part)
    starts, stops = (seconds_at(score, part.notes[field]) for field in ("start", "stop"))
    if not part.drums and (len(channel.sustain) or len(channel.sostenuto)):
        held = seconds_at(score, release_ticks(part, channel, score.ticks))
        # A pedal that is forgotten does not hold notes forever.
        stops = np.maximum(stops, np.minimum(held, stops + PEDAL_SECONDS))
    changes = (
        Automation(seconds_at(score, automation.times), automation.values)
        for automation in (channel.gain, channel.pan, channel.pitch)
    )
    return Timeline(starts, stops, *changes)


def changes_within(changes: Automation, starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The indices of the values with which each note begins and ends, (notes,) each.

    A change at the start of a note counts from its beginning; a change at its end does not count.
    """
    first = np.searchsorted(changes.times, starts, side="right")
    return first, np.maximum(first, np.searchsorted(changes.times, stops, side="left"))


def ramps(changes: Automation, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """The points (times, values) of a line from value `first` to value `last`, for interpolation."""
    times = changes.times[first:last]
    reached = np.minimum(times + RAMP_SECONDS, np.append(times[1:], np.inf))
    values = np.stack([changes.values[first:last], changes.values[first + 1 : last + 1]], axis=1)
    return np.stack([times, reached], axis=1).ravel(), values.ravel()
