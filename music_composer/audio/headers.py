"""Lengths in the headers of recordings, which are often wrong: of a recorder that lost its power, of a pipe.

The header is read as the file is large, and where the two disagree, other bytes are given to the decoder in place of
the header's. The file itself is never changed.
"""

from __future__ import annotations

import dataclasses
import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

LEAST_UNCLAIMED = 4096  # bytes after the sound that no chunk claims, from which on they are sound
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # that players append to any file
MOST_CHUNKS = 10_000
WAV_CHUNK, AIFF_CHUNK, CAF_CHUNK = struct.Struct("<4sI"), struct.Struct(">4sI"), struct.Struct(">4sq")


@dataclasses.dataclass(frozen=True)
class Mending:
    """Bytes that the decoder gets in place of those in the file, by their place; and what is said of it.

    promised: samples that the header speaks of, where the decoder is not told of them.
    """

    patches: tuple[tuple[int, bytes], ...] = ()
    remarks: tuple[str, ...] = ()
    promised: int | None = None


class PatchedFile(io.FileIO):
    """A file that reads as if some of its bytes were others."""

    def __init__(self, path: Path, patches: tuple[tuple[int, bytes], ...]) -> None:
        super().__init__(path, "rb")
        self._patches = patches

    def readinto(self, buffer: Any) -> int:
        begin = self.tell()
        count = super().readinto(buffer)
        for at, patch in self._patches:
            first, last = max(at, begin), min(at + len(patch), begin + count)
            if first < last:
                memoryview(buffer)[first - begin : last - begin] = patch[first - at : last - at]
        return count


def mend(raw: BinaryIO, size: int) -> Mending:
    """What is to be mended in the header of an opened file of `size` bytes."""
    head = _at(raw, 0, 12)
    kind, form = head[:4], head[8:12]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":
        return _mend_wav(raw, size, kind)
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _mend_aiff(raw, size)
    if kind == b"caff":
        return _mend_caf(raw, size)
    if kind == b".snd":
        return _mend_au(raw, size)
    if kind == b"OggS":
        return _mend_ogg(raw, size)
    return _mend_flac(raw)


def _mend_wav(raw: BinaryIO, size: int, kind: bytes) -> Mending:
    patches, long_size = [], 0  # where the 64-bit size of the sound stands
    found = None
    for name, place, begin, length in _chunks(raw, 12, size, WAV_CHUNK, 2):
        if name == b"ds64":
            long_size = begin + 8
        if name == b"data":
            found = place, begin, length
            break
    if kind == b"BW64":  # RF64 by another name
        patches.append((0, b"RF64" if long_size else b"RIFF"))
    if found is None:
        return Mending(tuple(patches))
    place, begin, promised = found
    if long_size and promised == 0xFFFFFFFF:
        promised = int.from_bytes(_at(raw, long_size, 8), "little")
    there = _sound_bytes(raw, size, begin, promised, WAV_CHUNK)
    if there == promised:
        return Mending(tuple(patches))
    if long_size:
        patches += [(long_size - 8, struct.pack("<QQ", size - 8, there)), (place, b"\xff" * 4)]
    elif promised < there:
        patches.append((place, struct.pack("<I", min(there, 0xFFFFFFFF))))
    elif not patches:
        return Mending()  # the decoder sees and says that itself
    return Mending(tuple(patches), (_said(promised, there),))


def _mend_aiff(raw: BinaryIO, size: int) -> Mending:
    for name, place, begin, promised in _chunks(raw, 12, size, AIFF_CHUNK, 2):
        if name == b"SSND" and promised:  # the decoder itself takes 0 for all that is there
            there = _sound_bytes(raw, size, begin, promised, AIFF_CHUNK)
            if there > promised:
                return Mending(((place, struct.pack(">I", there)),), (_said(promised, there),))
    return Mending()


def _mend_caf(raw: BinaryIO, size: int) -> Mending:
    for name, place, begin, promised in _chunks(raw, 8, size, CAF_CHUNK, 1):
        if name == b"data":
            there = _sound_bytes(raw, size, begin, promised, CAF_CHUNK)
            if there != promised:
                remarks = () if promised == -1 else (_said(promised, there),)  # -1 is how it says: to the end
                return Mending(((place, struct.pack(">q", there)),), remarks)
    return Mending()


def _mend_au(raw: BinaryIO, size: int) -> Mending:
    begin, promised = struct.unpack(">4xII", _at(raw, 0, 12).ljust(12, b"\0"))
    there = max(0, size - begin)
    if promised == 0xFFFFFFFF or 0 <= there - promised < (LEAST_UNCLAIMED if promised else 1):
        return Mending()  # the first is how it says: to the end
    return Mending(((8, struct.pack(">I", min(there, 0xFFFFFFFF))),), (_said(promised, there),))


def _mend_ogg(raw: BinaryIO, size: int) -> Mending:
    """Nothing is mended, but the decoder stops in silence where a second recording begins, as radio has them."""
    at, within = 0, False
    while at < size:
        head = _at(raw, at, 27)
        if len(head) < 27 or head[:4] != b"OggS":
            break
        begins = bool(head[5] & 2)
        if begins and within:
            return Mending(remarks=("holds several recordings, one after the other: only the first is read",))
        within = within or not begins
        segments = raw.read(head[26])
        at += 27 + len(segments) + sum(segments)
    return Mending()


def _mend_flac(raw: BinaryIO) -> Mending:
    """The decoder is told of no length, and so counts: it would stop at a length that is too small."""
    head = _at(raw, 0, 10)
    begin = 0
    if head[:3] == b"ID3":  # four times seven bits
        begin = 10 + sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
    info = _at(raw, begin, 26)
    if info[:5] not in (b"fLaC\0", b"fLaC\x80") or len(info) < 26:
        return Mending()
    promised = (info[21] & 15) << 32 | int.from_bytes(info[22:26], "big")
    return Mending(((begin + 21, bytes([info[21] & 0xF0, 0, 0, 0, 0])),), (), promised)


def _sound_bytes(raw: BinaryIO, size: int, begin: int, promised: int, chunk: struct.Struct) -> int:
    """How many bytes of sound there are from `begin` on: as promised, where what follows makes sense."""
    there = max(0, size - begin)
    if not 0 <= promised <= there:
        return there
    left = there - promised
    follows = [_is_chunks(raw, begin + promised + odd, size, chunk) for odd in (promised & 1, 0)]
    if any(follows) or (promised and left < LEAST_UNCLAIMED):
        return promised
    rest = _at(raw, begin + promised, LEAST_UNCLAIMED)
    return promised if promised and (rest.startswith(TAGS) or not any(rest)) else there


def _is_chunks(raw: BinaryIO, at: int, size: int, chunk: struct.Struct) -> bool:
    """Whether the rest of a file is nothing but whole chunks, or there is none."""
    for name, _, begin, length in _chunks(raw, at, size, chunk, 1 if chunk is CAF_CHUNK else 2):
        if not name.isascii() or not name.decode("ascii").isprintable() or not 0 <= length <= size - begin:
            return False
        at = begin + length
    return size - at < chunk.size


def _chunks(
    raw: BinaryIO, at: int, size: int, chunk: struct.Struct, even: int
) -> Iterator[tuple[bytes, int, int, int]]:
    """Name, place of the length, place of the content and length of each chunk that begins in the file."""
    for _ in range(MOST_CHUNKS):
        head = _at(raw, at, chunk.size)
        if len(head) < chunk.size:
            return
        name, length = chunk.unpack(head)
        begin = at + chunk.size
        yield name, at + 4, begin, length
        at = begin + max(0, length) + (length % even)
        if at > size:
            return


def _at(raw: BinaryIO, at: int, count: int) -> bytes:
    raw.seek(at)
    return raw.read(count)


def _said(promised: int, there: int) -> str:
    return f"its header promises {promised} bytes of sound, the file holds {there}: these are used"
