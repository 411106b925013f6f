"""MIDI files, byte by byte."""

import struct

END = b"\x00\xff\x2f\x00"


def number(value: int) -> bytes:
    """A variable-length quantity."""
    made = [value & 127]
    while value := value >> 7:
        made.append(128 | value & 127)
    return bytes(reversed(made))


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    return name + struct.pack(">L", len(body) if length is None else length) + body


def track(*events: tuple[int, bytes], end: bytes = END, length: int | None = None) -> bytes:
    """Events as (ticks since the last one, message)."""
    return chunk(b"MTrk", b"".join(number(ticks) + message for ticks, message in events) + end, length)


def file(*tracks: bytes, kind: int = 1, declared: int | None = None, division: int = 480) -> bytes:
    count = len(tracks) if declared is None else declared
    return chunk(b"MThd", struct.pack(">HHH", kind, count, division & 0xFFFF)) + b"".join(tracks)


def on(pitch: int, channel: int = 0, velocity: int = 100) -> bytes:
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, pitch, 64])


def meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + number(len(data)) + data


def sysex(data: bytes) -> bytes:
    return b"\xf0" + number(len(data) + 1) + data + b"\xf7"


def program(value: int, channel: int = 0) -> bytes:
    return bytes([0xC0 | channel, value])


def control(controller: int, value: int, channel: int = 0) -> bytes:
    return bytes([0xB0 | channel, controller, value])


def scale(channel: int = 0, length: int = 480) -> list[tuple[int, bytes]]:
    return [
        event
        for pitch in (60, 62, 64, 65, 67, 69, 71, 72)
        for event in ((0, on(pitch, channel)), (length, off(pitch, channel)))
    ]
