"""Scores as the bytes of MIDI files of format 1: tempos and metres in the first track, then a track for each part.

Every part has a channel of its own, so that programs and controls do not mix. If there are more parts than channels,
tracks name ports (meta event 0x21), which have sixteen channels each.
"""

from __future__ import annotations

import struct

import numpy as np

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.channels import BANK, DRUM_BANKS, DRUM_CHANNEL
from music_composer.symbolic.midi.meta_events import (
    END_OF_TRACK,
    GS_RESET,
    MAX_TEMPO,
    METRE,
    MIN_TEMPO,
    NAME,
    PORT,
    TEMPO,
    is_metre,
)
from music_composer.values import Part, Score

VELOCITY_OF_END = 64
MAX_PORTS = 128
PITCHED = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
MAX_DELTA = 2**28 - 1  # ticks
BANKS = (BANK, BANK + 32)
Event = tuple[int, int, bytes]  # tick, rank among events at one tick, message


def midi_bytes(score: Score) -> bytes:
    """The bytes of a MIDI file. Raises ScoreError where there are more parts than channels."""
    places = _places(score)
    # Port events only where they are needed: few programs read them.
    ports = max((port for port, _ in places), default=0) > 0
    tracks = [_conductor(score)]
    tracks += [_track(part, *place, ports) for part, place in zip(score.parts, places, strict=True)]
    header = struct.pack(">4sLHHH", b"MThd", 6, 1, len(tracks), score.resolution)
    return header + b"".join(struct.pack(">4sL", b"MTrk", len(track)) + track for track in tracks)


def _places(score: Score) -> list[tuple[int, int]]:
    """The port and channel of each part."""
    drums = 0
    places = []
    for number, part in enumerate(score.parts):
        if part.drums:
            places.append((drums, DRUM_CHANNEL))
            drums += 1
        else:
            places.append((number // len(PITCHED), PITCHED[number % len(PITCHED)]))
    if places and max(port for port, _ in places) >= MAX_PORTS:
        raise ScoreError(f"a score of {len(score.parts):,} parts cannot be written: MIDI has too few channels")
    return places


def _conductor(score: Score) -> bytes:
    """The first track. Tempos and metres that a MIDI file cannot express are left out."""
    events: list[Event] = []
    for tick, tempo in score.tempos:
        if MIN_TEMPO <= tempo <= MAX_TEMPO:
            events.append((tick, 0, _meta(TEMPO, round(60e6 / tempo).to_bytes(3))))
    if any(_in_drum_bank(part) for part in score.parts):
        events.append((0, 0, b"\xf0" + _number(len(GS_RESET)) + GS_RESET))
    for tick, beats, note in score.metres:
        if is_metre(beats, note):
            events.append((tick, 0, _meta(METRE, bytes([beats, note.bit_length() - 1, 24, 8]))))
    return _timed(events)


def _in_drum_bank(part: Part) -> bool:
    """Whether a melodic part has a bank that selects drums outside of Roland GS."""
    banks = part.controls["value"][part.controls["controller"] == BANK]
    return not part.drums and bool(np.isin(banks, DRUM_BANKS).any())


def _track(part: Part, port: int, channel: int, ports: bool) -> bytes:
    events: list[Event] = []
    if part.name:
        events.append((0, 0, _meta(NAME, part.name.encode("utf-8", "replace"))))
    if ports:
        events.append((0, 0, _meta(PORT, bytes([port]))))
    begins = int(part.notes["start"].min()) if len(part.notes) else 0
    banks = [tick for tick, controller, _ in part.controls.tolist() if controller in BANKS and tick <= begins]
    events.append((max(banks, default=0), 2, bytes([0xC0 | channel, part.program])))  # after its bank
    for tick, controller, value in part.controls.tolist():
        events.append((tick, 1, bytes([0xB0 | channel, controller, value])))
    for tick, value in part.bends.tolist():
        events.append((tick, 3, bytes([0xE0 | channel, value + 8192 & 127, value + 8192 >> 7])))
    for start, stop, pitch, velocity in part.notes.tolist():
        events.append((start, 5, bytes([0x90 | channel, pitch, velocity])))
        # Where a pitch ends and begins at one tick, the end comes first.
        events.append((stop, 4, bytes([0x80 | channel, pitch, VELOCITY_OF_END])))
    return _timed(events)


def _timed(events: list[Event]) -> bytes:
    """Messages at ticks as messages with delta times; a status equal to the last one is left out (running status)."""
    made = bytearray()
    now = status = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        while tick - now > MAX_DELTA:  # a delta time has four bytes: an empty text event goes between
            made += _number(MAX_DELTA) + _meta(0x01, b"")
            now, status = now + MAX_DELTA, 0
        made += _number(tick - now) + (message[1:] if message[0] == status else message)
        now, status = tick, message[0] if message[0] < 0xF0 else 0
    return bytes(made + b"\x00" + _meta(END_OF_TRACK, b""))


def _meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + _number(len(data)) + data


def _number(value: int) -> bytes:
    """A variable-length quantity."""
    made = [value & 127]
    while value := value >> 7:
        made.append(128 | value & 127)
    return bytes(reversed(made))
