"""The container of MIDI files: its chunks and tracks, read from any bytes.

Counts and lengths in the file are only hints. Invalid events are skipped one by one, and every repair is
counted. Bytes, chunks and events have limits, so that time and memory have, too.
"""

from __future__ import annotations

import dataclasses
import re
import struct
import zlib
from collections import Counter

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.events import MAX_EVENTS, STRAY, TOO_LONG, Track, TrackReader

MAX_BYTES = 64 * 2**20  # far beyond any music
MAX_CHUNKS = 10_000
HEADER = 14  # bytes of "MThd", its length and three fields
CHUNK_NAME = re.compile(rb"[A-Za-z0-9 ]{4}")
CUT_OFF = "tracks end within an event"


@dataclasses.dataclass(frozen=True)
class Container:
    """format: 0, 1 or 2. division: as in the header, signed. repairs: counts by what was repaired."""

    format: int
    division: int
    tracks: tuple[Track, ...]
    repairs: Counter[str]

    @property
    def damaged(self) -> bool:
        """Whether something may be missing."""
        return any(self.repairs[words] for words in (CUT_OFF, STRAY, TOO_LONG))


def read_container(content: bytes, name: str) -> Container:
    """The tracks of a MIDI file. Raises ScoreError where the bytes hold no MIDI file."""
    repairs: Counter[str] = Counter()
    content = _unwrapped(content, name, repairs)
    length, kind, declared, division = struct.unpack(">LHHh", content[4:HEADER])
    if kind > 2:
        repairs["undefined formats: the tracks are read as parts of one piece"] += 1
        kind = 1
    # The header may be longer than its three fields.
    begin = 8 + length
    if length < 6 or content[begin : begin + 4] != b"MTrk":
        first = content.find(b"MTrk", HEADER)
        chunks_follow = length >= 6 and CHUNK_NAME.match(content, begin)
        begin = begin if chunks_follow or first < 0 else first
    tracks = _tracks(content, begin, repairs, name)
    if declared > len(tracks):
        repairs["tracks of the number in the header are missing"] += declared - len(tracks)
    elif declared < len(tracks):
        repairs["tracks more than the header counts are read, too"] += len(tracks) - declared
    return Container(kind, division, tuple(tracks), repairs)


def _unwrapped(content: bytes, name: str, repairs: Counter[str]) -> bytes:
    """The bytes from MThd on: out of gzip, RIFF or MacBinary, or after other bytes."""
    if not content:
        raise ScoreError(f"{name}: is empty")
    if content.startswith(b"\x1f\x8b"):
        content = _unzipped(content, name)
    if content.startswith(b"RIFF") and content[8:12] == b"RMID":
        content = _out_of_riff(content)
    begin = content.find(b"MThd")
    if begin < 0:
        raise ScoreError(f"{name}: is no MIDI file: it does not begin with MThd")
    if len(content) - begin < HEADER:
        raise ScoreError(f"{name}: is damaged: it ends in the middle of its header")
    if begin:
        repairs["bytes before the header were left out"] += begin
    return content[begin:]


def _unzipped(content: bytes, name: str) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        made = inflate.decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        raise ScoreError(f"{name}: is damaged: {error}") from error
    if len(made) > MAX_BYTES:
        raise ScoreError(f"{name}: holds more than {MAX_BYTES // 2**20} MB: no MIDI file of music does")
    return made


def _out_of_riff(content: bytes) -> bytes:
    """The data chunk of a RIFF file; all bytes where its chunks have wrong lengths."""
    at = 12
    while at + 8 <= len(content):
        chunk, (length,) = content[at : at + 4], struct.unpack("<L", content[at + 4 : at + 8])
        if chunk == b"data" and content[at + 8 : at + 12] == b"MThd":
            whole = HEADER <= length <= len(content) - at - 8
            return content[at + 8 : at + 8 + length] if whole else content[at + 8 :]
        at += 8 + length + length % 2
    return content


def _tracks(content: bytes, at: int, repairs: Counter[str], name: str) -> list[Track]:
    """The tracks from a position on. A wrong length of a track leads to the next MTrk."""
    tracks: list[Track] = []
    room, chunks, following = MAX_EVENTS, 0, -1
    while at + 8 <= len(content):
        chunk, (length,) = content[at : at + 4], struct.unpack(">L", content[at + 4 : at + 8])
        if following <= at:  # the next MTrk; searched once for each, since files may be long
            following = content.find(b"MTrk", at + 1)
            following = following if following >= 0 else len(content)
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise ScoreError(f"{name}: holds more than {MAX_CHUNKS:,} chunks: no MIDI file of music does")
        end = at + 8 + length
        # A length is trusted if a chunk, or the end of the file, follows.
        sound = _is_chunk(content, end)
        if chunk == b"MTrk":
            reader = TrackReader(content, at + 8, end if sound else following, not sound, repairs, room, name)
            tracks.append(reader.read())
            room = reader.room
            if reader.cut:
                repairs[CUT_OFF] += 1
            elif not sound and reader.at != end:
                repairs["tracks have a wrong length"] += 1
            at = reader.at
        elif CHUNK_NAME.fullmatch(chunk) and sound:
            repairs["chunks that are no tracks were left out"] += 1
            at = end
        elif following < len(content):
            repairs["bytes between tracks were left out"] += following - at
            at = following
        else:
            break
    if at < len(content):
        repairs["bytes behind the last track were left out"] += len(content) - at
    return tracks


def _is_chunk(content: bytes, at: int) -> bool:
    """Whether a chunk, or the end of the file, is at a position."""
    if at == len(content) or content[at : at + 4] == b"MTrk":
        return True
    if at + 8 > len(content) or not CHUNK_NAME.match(content, at):
        return False
    return at + 8 + struct.unpack(">L", content[at + 4 : at + 8])[0] <= len(content)
