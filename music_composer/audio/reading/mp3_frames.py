"""Finds the frames of an MP3 file. The decoder trusts the length in the header, or guesses one, and stops there.

Each frame gives its own length, so all frames are found, whatever lies between them: tags, holes, another file.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import struct
from typing import BinaryIO

from music_composer.audio.reading.virtual_file import Pieces

KBITS = {  # bit rates by the index in the header; MPEG 1 and the other versions
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version
KIND = 0xFFFE0C00  # header bits that all frames share: sync, version, layer, rate
MONO = 3  # channel mode
NO_CHECKSUM = 0x10000  # header bit
LAYER_3 = 1
TELLING = 3  # frames in a row that cannot be chance
SYNC = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")  # first bytes of a frame
SEARCH_BYTES = 1 << 13
MAX_JUNK = 1 << 20  # bytes between frames that are searched
MIN_SAID = 256  # bytes between frames from which on they are reported
LOOK_BYTES = 64  # of a frame: its header, and where a frame count may be


@dataclasses.dataclass(frozen=True)
class Frames:
    """The frames of a file.

    places: of the frames, adjacent ones joined. declared: number of frames according to the file, None where it gives
    none. passed: bytes between frames that are neither frame nor tag. others: whether frames of another kind follow.
    """

    places: tuple[range, ...]
    count: int
    declared: int | None
    passed: int
    first: bytes  # header of the first frame
    info: bytes  # the whole frame that holds `declared`, b"" where there is none
    others: bool

    @property
    def samples_each(self) -> int:
        """Samples in a frame."""
        return 1152 if _version(int.from_bytes(self.first, "big")) == 3 else 576


def frames_in(raw: BinaryIO, begin: int, size: int) -> Frames | None:
    """Returns all layer 3 frames that are like the first one, or None where there are none.

    Frames that only declare the number of frames are not among them.
    """
    at = _find(raw, begin, size, None)
    if at is None:
        return None
    first = _at(raw, at, 4)
    kind, spot = _kind(int.from_bytes(first, "big")), _count_spot(int.from_bytes(first, "big"))
    places: list[range] = []
    count, passed, info, others = 0, 0, b"", False
    while at is not None:
        length, tells = _frame_at(raw, at, size, kind, spot)
        if not length:
            after = after_tags(raw, at, size)
            at = _find(raw, after, size, kind)
            others = at is None and _find(raw, after, size, None) is not None
            passed += (at or after) - after
            continue
        if not tells:
            count += 1
            begin = places.pop().start if places and places[-1].stop == at else at
            places.append(range(begin, at + length))
        elif not count:
            info = _at(raw, at, length)
        at += length
    return Frames(tuple(places), count, _declared(info, spot), passed, first, info, others) if count else None


def _frame_at(raw: BinaryIO, at: int, size: int, kind: int, spot: int) -> tuple[int, bool]:
    """Returns the length of the whole frame of that kind at `at`, 0 for none, and whether it only declares a count."""
    look = _at(raw, at, LOOK_BYTES)
    header = int.from_bytes(look[:4], "big")
    length = _length(header) if _kind(header) == kind else 0
    tells = look[spot : spot + 4] in (b"Xing", b"Info") or look[36:40] == b"VBRI"
    return (length if at + length <= size else 0), tells


def is_in_order(frames: Frames) -> bool:
    """Returns whether the frames are adjacent and no more than the file declares."""
    return len(frames.places) == 1 and frames.count <= (frames.declared or 0)


def pieces_of(frames: Frames) -> Pieces:
    """Returns the frames as one file, with a correct frame count where the file declares too few."""
    if is_in_order(frames):
        return frames.info, *frames.places
    return _info_frame(frames, sum(map(len, frames.places))), *frames.places


def _info_frame(frames: Frames, total: int) -> bytes:
    """Returns a frame that declares the number of frames and the bytes in all.

    It is made from the file's own where there is one, which also holds the encoder's delay and padding.
    """
    header = int.from_bytes(frames.first, "big")
    spot = _count_spot(header)
    if frames.info and frames.info[36:40] != b"VBRI" and frames.info[spot + 7] & 1:
        made = bytearray(frames.info)
        made[spot + 8 : spot + 12] = struct.pack(">I", frames.count)
        if made[spot + 7] & 2:
            made[spot + 12 : spot + 16] = struct.pack(">I", total + len(made))
        return bytes(made)
    spot = _count_spot(header := header | NO_CHECKSUM)
    rates = (header & ~0xF200 | index << 12 for index in range(1, 15))  # every bit rate, without padding
    header = next(each for each in rates if _length(each) >= spot + 16)
    tag = b"Info" + struct.pack(">III", 3, frames.count, total + _length(header))
    return (struct.pack(">I", header) + bytes(spot - 4) + tag).ljust(_length(header), b"\0")


def _declared(info: bytes, spot: int) -> int | None:
    if not info:
        return None
    if info[36:40] == b"VBRI":
        return int.from_bytes(info[50:54], "big")
    return int.from_bytes(info[spot + 8 : spot + 12], "big") if info[spot + 7] & 1 else None


def _find(raw: BinaryIO, begin: int, size: int, kind: int | None) -> int | None:
    """Returns the next place where several frames of one kind follow each other, or where one ends with the file."""
    for at in range(begin, min(size, begin + MAX_JUNK), SEARCH_BYTES):
        for match in SYNC.finditer(_at(raw, at, SEARCH_BYTES + 1)):
            if _is_row(raw, at + match.start(), size, kind):
                return at + match.start()
    return None


def _is_row(raw: BinaryIO, at: int, size: int, kind: int | None) -> bool:
    for number in range(TELLING):
        if number and at == size:
            return True
        header = int.from_bytes(_at(raw, at, 4), "big")
        length = _length(header)
        if not length or at + length > size or (kind is not None and _kind(header) != kind):
            return False
        kind = _kind(header)
        at += length
    return True


def after_tags(raw: BinaryIO, at: int, size: int) -> int:
    """Returns the position behind all tags that follow each other from `at` on."""
    while (after := _after_tag(raw, at, size)) > at:
        at = after
    return at


def _after_tag(raw: BinaryIO, at: int, size: int) -> int:
    """Returns the position behind a tag at `at`, or `at` itself. A tag longer than the file is ignored."""
    head = _at(raw, at, 32)
    if head[:3] == b"ID3" and len(head) >= 10:
        footer = 10 if head[5] & 0x10 else 0
        after = at + 10 + footer + sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
        return after if after <= size else at
    if head[:3] == b"TAG":
        return min(size, at + 128)
    if head[:8] == b"APETAGEX" and len(head) == 32:
        after = at + max(32, int.from_bytes(head[12:16], "little") + (32 if head[23] & 0x20 else 0))
        return after if after <= size else at
    return at


def _version(header: int) -> int:
    return header >> 19 & 3


def _kind(header: int) -> int:
    return header & KIND | (header >> 6 & 3 == MONO)


def _count_spot(header: int) -> int:
    """Returns the offset of the word that marks a frame as one that only declares a count."""
    mono, checksum = header >> 6 & 3 == MONO, 0 if header & NO_CHECKSUM else 2
    if _version(header) == 3:
        return checksum + (21 if mono else 36)
    return checksum + (13 if mono else 21)


@functools.cache
def _lengths(header: int) -> int:
    """Returns the bytes of a layer 3 frame from the bits of its header that decide them; 0 for no valid header."""
    version, layer, index, rate = _version(header), header >> 17 & 3, header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer != LAYER_3 or index in (0, 15) or rate == 3:
        return 0
    size = 144_000 if version == 3 else 72_000
    return size * KBITS[version == 3][index - 1] // RATES[version][rate] + (header >> 9 & 1)


def _length(header: int) -> int:
    return _lengths(header & 0xFFFEFE00)


def _at(raw: BinaryIO, at: int, count: int) -> bytes:
    raw.seek(at)
    return raw.read(count)
