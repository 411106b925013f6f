"""What the channels of a MIDI file are set to, over all tracks and in the order of time: programs, drums, controls.

Tracks that share a channel hear each other, as on an instrument. But of what a track says itself it hears only that,
and what tracks say that play nothing on the channel: many files have more tracks than there are channels.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from music_composer.symbolic.midi.events import CONTROL_CHANGE, PITCH_WHEEL, PROGRAM_CHANGE
from music_composer.values import BEND, CONTROL

DRUM_CHANNEL = 9
BANK, DATA, FINE_DATA, PARAMETERS = 0, 6, 38, (98, 99, 100, 101)
DRUM_BANKS = (120, 126, 127)  # of General MIDI 2 and of XG
LAST_HEARD = 121  # all sound off (120) and reset (121); the later channel modes end notes and change nothing
PROGRAM, WHEEL = 128, 129  # beside the numbers of controllers
MOST_HEARD = 20_000_000  # changes, counted for each track of their channel: beyond that tracks hear all
ORDER_BITS = 21  # for the numbers of messages, of which there are fewer


@dataclasses.dataclass(frozen=True)
class Messages:
    """The channel messages of all tracks, one track after another, each (messages,). channels: 16 a port."""

    ticks: np.ndarray
    tracks: np.ndarray
    channels: np.ndarray
    kinds: np.ndarray
    one: np.ndarray
    two: np.ndarray


@dataclasses.dataclass(frozen=True)
class Setting:
    """What one track hears of a channel, in the order of time.

    places: int64 (changes,), when, as `place_of` says it; ticks, numbers (a controller, PROGRAM or WHEEL) and values.
    """

    places: np.ndarray
    ticks: np.ndarray
    numbers: np.ndarray
    values: np.ndarray
    _found: dict[int, tuple[np.ndarray, np.ndarray]] = dataclasses.field(default_factory=dict)

    def at(self, number: int, places: np.ndarray) -> np.ndarray:
        """The value that a controller or PROGRAM has at places, 0 before it is set."""
        if number not in self._found:
            mine = self.numbers == number
            self._found[number] = self.places[mine], np.concatenate([[0], self.values[mine]])
        changed, values = self._found[number]
        return np.asarray(values[np.searchsorted(changed, places, side="right")])

    @functools.cached_property
    def controls(self) -> np.ndarray:
        """dtype CONTROL"""
        mine = self.numbers <= LAST_HEARD
        return _table(CONTROL, self.ticks[mine], self.numbers[mine], self.values[mine])

    @functools.cached_property
    def bends(self) -> np.ndarray:
        """dtype BEND"""
        mine = self.numbers == WHEEL
        return _table(BEND, self.ticks[mine], self.values[mine])


def place_of(ticks: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Ticks, and numbers of messages, as one number each that is in the order of both."""
    return np.asarray((ticks << ORDER_BITS) + numbers + 1)


class Channels:
    """All settings of a file. played: numbers of the messages that begin notes."""

    def __init__(self, messages: Messages, played: np.ndarray) -> None:
        self._of_channel = {}
        self._all: dict[int, Setting] = {}
        self._room = MOST_HEARD
        numbers = np.flatnonzero(np.isin(messages.kinds, (CONTROL_CHANGE, PROGRAM_CHANGE, PITCH_WHEEL)))
        for channel in np.unique(messages.channels[played]).tolist():
            mine = numbers[messages.channels[numbers] == channel]
            players = np.unique(messages.tracks[played][messages.channels[played] == channel])
            kinds, one, two = messages.kinds[mine], messages.one[mine].astype(np.int64), messages.two[mine]
            what = np.select([kinds == CONTROL_CHANGE, kinds == PROGRAM_CHANGE], [one, PROGRAM], WHEEL)
            wheel = one + (two.astype(np.int64) << 7) - 8192
            values = np.select([kinds == CONTROL_CHANGE, kinds == PROGRAM_CHANGE], [two, one], wheel)
            tracks = messages.tracks[mine]
            self._of_channel[channel] = mine, messages.ticks[mine], tracks, np.isin(tracks, players), what, values

    def heard_by(self, track: int, channel: int) -> Setting:
        numbers, ticks, tracks, of_players, what, values = self._of_channel[channel]
        self._room -= len(numbers)
        if self._room < 0:
            if channel not in self._all:
                order = np.argsort(ticks, kind="stable")
                places = place_of(ticks[order], np.full(len(order), -1))
                self._all[channel] = Setting(places, ticks[order], what[order], values[order])
            return self._all[channel]
        own = tracks == track
        groups = np.where(np.isin(what, (DATA, FINE_DATA, *PARAMETERS)), DATA, what)  # these make sense together only
        heard = own | ~of_players | ~np.isin(groups, np.unique(groups[own]))
        places = place_of(ticks, np.where(own, numbers, -1))  # of one tick, other tracks' changes come first
        order = np.flatnonzero(heard)[np.argsort(places[heard], kind="stable")]
        return Setting(places[order], ticks[order], what[order], values[order])


def _table(dtype: np.dtype, *columns: np.ndarray) -> np.ndarray:
    table = np.zeros(len(columns[0]), dtype)
    for field, column in zip(dtype.names or (), columns, strict=True):
        table[field] = column
    return table
