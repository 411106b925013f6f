"""The settings of MIDI channels over time: programs, drums and controls.

Tracks that share a channel share its settings, as on an instrument. But where a track sets something itself, it gets
only its own settings, and those of tracks without notes on the channel: many files have more tracks than there are
channels.
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
LAST_SOUND_CONTROL = 121  # all sound off (120) and reset (121); later channel modes only end notes
PROGRAM, WHEEL = 128, 129  # numbers after those of controllers
MAX_TRACK_CHANGES = 20_000_000  # changes, counted once for each track; beyond it a channel's tracks share all settings
ORDER_BITS = 21  # enough for MAX_EVENTS indices


@dataclasses.dataclass(frozen=True)
class Messages:
    """The channel messages of all tracks, track after track, (messages,) each.

    channels: 16 for each port. one, two: the data bytes.
    """

    ticks: np.ndarray
    tracks: np.ndarray
    channels: np.ndarray
    kinds: np.ndarray
    one: np.ndarray
    two: np.ndarray


@dataclasses.dataclass(frozen=True)
class ChannelSettings:
    """The settings of a channel that apply to one track, in order of time.

    places: int64 (changes,), sort keys from `place_of`. numbers: a controller, PROGRAM or WHEEL.
    """

    places: np.ndarray
    ticks: np.ndarray
    numbers: np.ndarray
    values: np.ndarray
    _found: dict[int, tuple[np.ndarray, np.ndarray]] = dataclasses.field(default_factory=dict)

    def at(self, number: int, places: np.ndarray) -> np.ndarray:
        """The value of a controller or PROGRAM at some places; 0 before it is set."""
        if number not in self._found:
            mine = self.numbers == number
            self._found[number] = self.places[mine], np.concatenate([[0], self.values[mine]])
        changed, values = self._found[number]
        return np.asarray(values[np.searchsorted(changed, places, side="right")])

    @functools.cached_property
    def controls(self) -> np.ndarray:
        """Control changes, dtype CONTROL."""
        mine = self.numbers <= LAST_SOUND_CONTROL
        return _table(CONTROL, self.ticks[mine], self.numbers[mine], self.values[mine])

    @functools.cached_property
    def bends(self) -> np.ndarray:
        """Pitch bends, dtype BEND."""
        mine = self.numbers == WHEEL
        return _table(BEND, self.ticks[mine], self.values[mine])


def place_of(ticks: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Sort keys that order messages by tick, then by index."""
    return np.asarray((ticks << ORDER_BITS) + numbers + 1)


class Channels:
    """All settings of a file. played: indices of the messages that begin notes."""

    def __init__(self, messages: Messages, played: np.ndarray) -> None:
        self._of_channel = {}
        self._all: dict[int, ChannelSettings] = {}
        self._room = MAX_TRACK_CHANGES
        numbers = np.flatnonzero(np.isin(messages.kinds, (CONTROL_CHANGE, PROGRAM_CHANGE, PITCH_WHEEL)))
        # Channels without notes need no settings.
        for channel in np.unique(messages.channels[played]).tolist():
            mine = numbers[messages.channels[numbers] == channel]
            players = np.unique(messages.tracks[played][messages.channels[played] == channel])
            kinds, one, two = messages.kinds[mine], messages.one[mine].astype(np.int64), messages.two[mine]
            settings = np.select([kinds == CONTROL_CHANGE, kinds == PROGRAM_CHANGE], [one, PROGRAM], WHEEL)
            wheel = one + (two.astype(np.int64) << 7) - 8192
            values = np.select([kinds == CONTROL_CHANGE, kinds == PROGRAM_CHANGE], [two, one], wheel)
            tracks = messages.tracks[mine]
            self._of_channel[channel] = (
                mine,
                messages.ticks[mine],
                tracks,
                np.isin(tracks, players),
                settings,
                values,
            )

    def settings_of(self, track: int, channel: int) -> ChannelSettings:
        """The settings of a channel that apply to a track."""
        numbers, ticks, tracks, of_players, settings, values = self._of_channel[channel]
        self._room -= len(numbers)
        if self._room < 0:
            if channel not in self._all:
                order = np.argsort(ticks, kind="stable")
                places = place_of(ticks[order], np.full(len(order), -1))
                self._all[channel] = ChannelSettings(places, ticks[order], settings[order], values[order])
            return self._all[channel]
        own = tracks == track
        groups = np.where(
            np.isin(settings, (DATA, FINE_DATA, *PARAMETERS)), DATA, settings
        )  # data and parameter numbers belong together
        applies = own | ~of_players | ~np.isin(groups, np.unique(groups[own]))
        places = place_of(ticks, np.where(own, numbers, -1))  # at one tick, other tracks' changes come first
        order = np.flatnonzero(applies)[np.argsort(places[applies], kind="stable")]
        return ChannelSettings(places[order], ticks[order], settings[order], values[order])


def _table(dtype: np.dtype, *columns: np.ndarray) -> np.ndarray:
    """A structured array of the dtype, from its columns."""
    table = np.zeros(len(columns[0]), dtype)
    for field, column in zip(dtype.names or (), columns, strict=True):
        table[field] = column
    return table
