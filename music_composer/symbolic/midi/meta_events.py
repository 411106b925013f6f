"""Meta events and system-exclusive messages of MIDI files: their values, and whether they are valid."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

SEQUENCE_NUMBER, NAME, PREFIX, PORT, END_OF_TRACK = 0x00, 0x03, 0x20, 0x21, 0x2F
TEMPO, SMPTE_OFFSET, METRE, KEY = 0x51, 0x54, 0x58, 0x59
SYSEX = 0xF0

MIN_TEMPO, MAX_TEMPO = 4.0, 1000.0  # quarter notes a minute; three bytes of microseconds hold 3.6 and more
MAX_BEATS = 64  # in a bar
MAX_BEAT_POWER = 6  # of two: a beat is at least a 64th note
MAX_NAME = 200  # characters

ROLAND, GS, WRITE = 0x41, 0x42, 0x12
GS_RESET = bytes([ROLAND, 0x10, GS, WRITE, 0x40, 0x00, 0x7F, 0x00, 0x41, 0xF7])
YAMAHA, XG = 0x43, 0x4C


def tempo_of(data: bytes) -> float:
    """Quarter notes a minute; 0 for an invalid tempo."""
    microseconds = int.from_bytes(data) if len(data) == 3 else 0
    tempo = 60e6 / microseconds if microseconds else 0.0
    return tempo if MIN_TEMPO <= tempo <= MAX_TEMPO else 0.0


def metre_of(data: bytes) -> tuple[int, int]:
    """Beats in a bar and the note value of a beat; (0, 0) for an invalid metre."""
    if len(data) < 4 or not is_metre(data[0], 2 ** min(data[1], MAX_BEAT_POWER + 1)):
        return 0, 0
    return data[0], 2 ** data[1]


def is_metre(beats: int, note: int) -> bool:
    """Whether a metre is plausible, and a MIDI file can express it."""
    return 1 <= beats <= MAX_BEATS and note in [2**power for power in range(MAX_BEAT_POWER + 1)]


def name_of(data: bytes) -> str:
    """A name as text: UTF-8 if it decodes, else Latin-1. MIDI defines no encoding.

    Unprintable characters become spaces.
    """
    try:
        name = data.decode("utf-8")
    except UnicodeDecodeError:
        name = data.decode("latin1")
    return "".join(letter if letter.isprintable() else " " for letter in name[:MAX_NAME])


def invalid_meta(kind: int, data: bytes) -> str:
    """The plural name of a kind of meta event, if data are invalid for it; else ""."""
    noun, makes_sense = _CHECKS.get(kind, ("", lambda data: True))
    return "" if makes_sense(data) else noun


def gs_rhythm(data: bytes) -> tuple[int, bool] | None:
    """For Roland GS's message "use for rhythm part": the channel, and whether it plays drums."""
    if len(data) < 8 or data[0] != ROLAND or data[2:5] != bytes([GS, WRITE, 0x40]):
        return None
    block = data[5]
    if block >> 4 != 1 or data[6] != 0x15:
        return None
    part = block & 15
    channel = 9 if part == 0 else part - 1 if part <= 9 else part  # part 0 is channel 10
    return channel, data[7] != 0


def xg_rhythm(data: bytes) -> tuple[int, bool] | None:
    """For Yamaha XG's message "part mode": the channel, and whether it plays drums."""
    if len(data) < 7 or data[0] != YAMAHA or data[1] >> 4 != 1 or data[2] != XG or data[3] != 8 or data[5] != 7:
        return None
    return data[4] & 15, data[6] != 0


def is_gs(data: bytes) -> bool:
    return len(data) > 3 and data[0] == ROLAND and data[2] == GS


def is_xg(data: bytes) -> bool:
    return len(data) > 2 and data[0] == YAMAHA and data[2] == XG


def _key(data: bytes) -> bool:
    return len(data) == 2 and -7 <= struct.unpack("b", data[:1])[0] <= 7 and data[1] <= 1


def _offset(data: bytes) -> bool:
    return len(data) == 5 and data[0] & 0x1F < 24 and data[1] < 60 and data[2] < 60 and data[3] < 30


_CHECKS: Mapping[int, tuple[str, Callable[[bytes], bool]]] = MappingProxyType(
    {
        SEQUENCE_NUMBER: ("sequence numbers", lambda data: len(data) in (0, 2)),
        PREFIX: ("channel prefixes", lambda data: len(data) == 1 and data[0] < 16),
        PORT: ("ports", lambda data: len(data) == 1 and data[0] < 128),
        TEMPO: ("tempos", lambda data: tempo_of(data) > 0),
        SMPTE_OFFSET: ("SMPTE offsets", _offset),
        METRE: ("metres", lambda data: metre_of(data) != (0, 0)),
        KEY: ("key signatures", _key),
    }
)
