"""The events of one track of a MIDI file; invalid ones are skipped and counted."""

from __future__ import annotations

import dataclasses
import re
from array import array
from collections import Counter

import numpy as np

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.meta_events import (
    END_OF_TRACK,
    METRE,
    NAME,
    PORT,
    SYSEX,
    TEMPO,
    invalid_meta,
    is_gs,
    is_xg,
)

MAX_EVENTS = 1_000_000  # a symphony has about 100,000
MAX_NUMBER_BYTES = 4  # bytes of a variable-length quantity
DATA_BYTES = (2, 2, 2, 2, 1, 1, 2)  # of channel messages, by the upper half of their status, from 0x8 on
LAST_BYTE = re.compile(rb"[\x00-\x7f]")  # of a variable-length quantity
EVENT = re.compile(rb"[\x80-\xff]{0,3}[\x00-\x7f][\x80-\xff]")  # how most events begin: a delta time, then a status
COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # data bytes of system messages, which do not belong in files
NOTE_OFF, NOTE_ON, AFTERTOUCH, CONTROL_CHANGE, PROGRAM_CHANGE, PITCH_WHEEL = 0x8, 0x9, 0xA, 0xB, 0xC, 0xE

STRAY = "bytes that are no event were left out"
RUNNING = "messages use running status after a system-exclusive or meta event, which cancels it"
TOO_LONG = "invalid delta times count as 0"


@dataclasses.dataclass(frozen=True)
class Meta:
    """A tempo, a metre, a name, or a system-exclusive message (kind SYSEX).

    place: number of channel messages of the track before it.
    """

    tick: int
    kind: int
    data: bytes
    place: int


@dataclasses.dataclass(frozen=True)
class Track:
    """The events of a track.

    ticks: int64 (messages,), from the beginning of the track. messages: uint8 (messages, 4): port, status, and two
    bytes of data, the second 0 if there is only one. end: tick of the last event. cut: whether the bytes end within the
    track.
    """

    ticks: np.ndarray
    messages: np.ndarray
    metas: tuple[Meta, ...]
    end: int
    cut: bool


class TrackReader:
    """Reads the events of one track.

    content: of the whole file. at, end: the track's bytes in it; `read` advances `at`. open_end: `end` is a guess, and
    the track ends at its end-of-track event. repairs: counts by what was repaired. room: how many more events may
    follow. After `read`, `ended` says whether there was an end-of-track event, `cut` whether the bytes end within an
    event.
    """

    def __init__(
        self, content: bytes, at: int, end: int, open_end: bool, repairs: Counter[str], room: int, name: str
    ) -> None:
        self.content, self.at, self.end, self.open_end = content, at, end, open_end
        self.repairs, self.room, self.name = repairs, room, name
        self.ended = self.cut = self.cancelled = False
        self.tick = self.status = self.port = 0
        self.ticks, self.messages = array("q"), array("q")
        self.metas: list[Meta] = []

    def read(self) -> Track:
        """The events of the track. Raises ScoreError where there are more than the room allows."""
        after = 0
        try:
            while self.at < self.end:
                # MTrk after the end-of-track event begins the next track, whatever the lengths say.
                if self.ended and (self.open_end or self.content.startswith(b"MTrk", self.at)):
                    break
                after += self.ended
                self._event()
        except IndexError:
            self.at, self.cut = self.end, True
        if after:
            self.repairs["events behind the end of their track are read too"] += after
        self.cut = self.cut or (self.open_end and not self.ended)
        if not self.ended and not self.cut:
            self.repairs["tracks have no end-of-track event"] += 1
        packed = np.array(self.messages, np.int64)
        messages = np.stack([packed >> 24, packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1)
        ticks = np.array(self.ticks, np.int64)
        return Track(ticks, messages.astype(np.uint8), tuple(self.metas), self.tick, self.cut)

    def _event(self) -> None:
        self.room -= 1
        if self.room < 0:
            raise ScoreError(f"{self.name}: holds more than {MAX_EVENTS:,} events: no MIDI file of music does")
        self.tick += self._number()
        first = self._byte()
        if first < 0x80:
            # Running status: the byte is data of a message with the last status.
            if self.status:
                self.repairs[RUNNING] += self.cancelled
                self.cancelled = False
                self._message(self.status, first)
            else:
                self._stray()
        elif first < 0xF0:
            self.status, self.cancelled = first, False
            self._message(first, self._byte())
        elif first == 0xFF:
            self.cancelled = True
            self._meta(self._byte(), self._block())
        # A system-exclusive message, or a part of one.
        elif first in (0xF0, 0xF7):
            self.cancelled = True
            data = self._sysex()
            if is_gs(data) or is_xg(data):
                self._keep(SYSEX, data)
        else:
            self._stray()
            self._skip_data(COMMON_BYTES.get(first, 0))

    def _message(self, status: int, one: int) -> None:
        two = self._byte() if DATA_BYTES[(status >> 4) - 8] == 2 else 0
        if one > 127 or two > 127:
            self.repairs["messages hold data above 127"] += 1
            if one > 127 and status >> 4 in (NOTE_OFF, NOTE_ON, AFTERTOUCH, CONTROL_CHANGE):
                return  # another key would be a wrong note; a loudness may be clipped to 127
            one, two = min(one, 127), min(two, 127)
        self.ticks.append(self.tick)
        self.messages.append(self.port << 24 | status << 16 | one << 8 | two)

    def _meta(self, kind: int, data: bytes) -> None:
        wrong = invalid_meta(kind, data)
        if kind == END_OF_TRACK:
            # Running status does not cross the end of a track.
            self.ended, self.status = True, 0
        elif wrong:
            self.repairs[f"invalid {wrong} were left out"] += 1
        elif kind == PORT:
            self.port = data[0]
        elif kind in (NAME, TEMPO, METRE):
            self._keep(kind, data)

    def _sysex(self) -> bytes:
        """The bytes of a system-exclusive message; with a wrong length, those up to its end mark, 0xF7."""
        before = self.at
        length = self._number()
        if self.at + length <= self.end:
            self.at += length
            return self.content[self.at - length : self.at]
        stop = self.content.find(b"\xf7", before, self.end)
        if stop < 0:
            raise IndexError
        self.repairs["system-exclusive messages have a wrong length"] += 1
        self.at = stop + 1
        return self.content[before : self.at]

    def _block(self) -> bytes:
        length = self._number()
        if self.at + length > self.end:
            raise IndexError
        self.at += length
        return self.content[self.at - length : self.at]

    def _keep(self, kind: int, data: bytes) -> None:
        self.metas.append(Meta(self.tick, kind, data, len(self.ticks)))

    def _stray(self) -> None:
        self.repairs[STRAY] += 1

    def _skip_data(self, count: int) -> None:
        """Skips data bytes, unless they are no data, or an event begins among them."""
        after = self.at + count
        data = all(byte < 0x80 for byte in self.content[self.at : after])
        if data and (EVENT.match(self.content, after) or not EVENT.match(self.content, self.at)):
            self.at = after

    def _byte(self) -> int:
        if self.at >= self.end:
            raise IndexError
        self.at += 1
        return self.content[self.at - 1]

    def _number(self) -> int:
        """A variable-length quantity; 0 for one of too many bytes."""
        before, value = self.at, 0
        byte = 0x80
        while byte >= 0x80:
            byte = self._byte()
            if self.at - before <= MAX_NUMBER_BYTES:
                value = value << 7 | byte & 0x7F
            elif byte >= 0x80:
                found = LAST_BYTE.search(self.content, self.at, self.end)
                self.at = found.start() if found else self.end
        if self.at - before > MAX_NUMBER_BYTES:
            self.repairs[TOO_LONG] += 1
            return 0
        return value
