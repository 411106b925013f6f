"""Lengths in the headers of recordings, which are often wrong: of a recorder that lost its power, of a pipe.

The header is read as the file is large, and where the two disagree, other bytes are given to the decoder in place of
the header's. The file itself is never changed.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from music_composer.audio.reading import mpeg, ogg
from music_composer.audio.reading.virtual_file import Pieces, with_patches

LEAST_UNCLAIMED = 4096  # bytes after the sound that no chunk claims, from which on they are sound
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # that players append to any file
MOST_CHUNKS = 10_000
STREAM_INFO_BYTES = 34  # of the first block of a FLAC
OF_ANOTHER_KIND = "what follows has another rate or other channels: it is not read"
ONE_OF_SEVERAL = "holds several recordings, one after the other: only the first is read"
WAV_CHUNK, AIFF_CHUNK, CAF_CHUNK = struct.Struct("<4sI"), struct.Struct(">4sI"), struct.Struct(">4sq")


@dataclasses.dataclass(frozen=True)
class Mending:
    """What the decoder gets in place of a file, and what is said of it.

    recordings: the pieces of each, one after the other; empty where the decoder gets the file itself.
    promised: samples that the header speaks of, where the decoder is not told of them.
    """

    recordings: tuple[Pieces, ...] = ()
    remarks: tuple[str, ...] = ()
    promised: int | None = None


def mend(raw: BinaryIO, size: int, to_seek: bool = False) -> Mending:
    """What is to be mended of an opened file of `size` bytes.

    to_seek: the decoder is told the length that the header says, without which that of FLAC finds no place.
    """
    begin = mpeg.after_tags(raw, 0, size)
    head = _at(raw, begin, 12)
    kind, form = head[:4], head[8:12]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":
        return _mend_wav(raw, begin, size, kind)
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _mend_aiff(raw, begin, size)
    if kind == b"caff":
        return _mend_caf(raw, begin, size)
    if kind == b".snd":
        return _mend_au(raw, begin, size)
    if kind == ogg.PAGE:
        return _mend_ogg(raw, begin, size)
    if kind == b"fLaC":
        return _mend_flac(raw, begin, size, to_seek)
    return _mend_mp3(raw, begin, size)


def _mend_wav(raw: BinaryIO, first: int, size: int, kind: bytes) -> Mending:
    patches, long_size = [], 0  # where the 64-bit size of the sound stands
    found = None
    for name, place, begin, length in _chunks(raw, first + 12, size, WAV_CHUNK, 2):
        if name == b"ds64":
            long_size = begin + 8
        if name == b"data":
            found = place, begin, length
            break
    if kind == b"BW64":  # RF64 by another name
        patches.append((first, b"RF64" if long_size else b"RIFF"))
    if found is None:
        return _patched(range(first, size), size, patches)
    place, begin, promised = found
    if long_size and promised == 0xFFFFFFFF:
        promised = int.from_bytes(_at(raw, long_size, 8), "little")
    there = _sound_bytes(raw, size, begin, promised, WAV_CHUNK)
    end, remarks = _end_of_wav(raw, size, begin + there)
    if there != promised:
        remarks += (_said(promised, there),)
        if long_size:
            patches += [(long_size - 8, struct.pack("<QQ", size - 8, there)), (place, b"\xff" * 4)]
        elif promised < there:
            patches.append((place, struct.pack("<I", min(there, 0xFFFFFFFF))))
        elif not patches:
            return Mending()  # the decoder sees and says that itself
    return _patched(range(first, end), size, patches, remarks)


def _end_of_wav(raw: BinaryIO, size: int, end: int) -> tuple[int, tuple[str, ...]]:
    """Where a file is to end whose sound ends there: before chunks that make the decoder refuse all of it."""
    names = {name for name, *_ in _chunks(raw, end + end % 2, size, WAV_CHUNK, 2)}
    return (end, (ONE_OF_SEVERAL,)) if names & {b"RIFF", b"fmt ", b"data"} else (size, ())


def _mend_aiff(raw: BinaryIO, first: int, size: int) -> Mending:
    for name, place, begin, promised in _chunks(raw, first + 12, size, AIFF_CHUNK, 2):
        if name == b"SSND" and promised:  # the decoder itself takes 0 for all that is there
            there = _sound_bytes(raw, size, begin, promised, AIFF_CHUNK)
            if there > promised:
                return _patched(
                    range(first, size), size, [(place, struct.pack(">I", there))], (_said(promised, there),)
                )
    return _patched(range(first, size), size)


def _mend_caf(raw: BinaryIO, first: int, size: int) -> Mending:
    for name, place, begin, promised in _chunks(raw, first + 8, size, CAF_CHUNK, 1):
        if name == b"data":
            there = _sound_bytes(raw, size, begin, promised, CAF_CHUNK)
            if there != promised:
                remarks = () if promised == -1 else (_said(promised, there),)  # -1 is how it says: to the end
                return _patched(range(first, size), size, [(place, struct.pack(">q", there))], remarks)
    return _patched(range(first, size), size)


def _mend_au(raw: BinaryIO, first: int, size: int) -> Mending:
    begin, promised = struct.unpack(">4xII", _at(raw, first, 12).ljust(12, b"\0"))
    there = max(0, size - first - begin)
    if promised == 0xFFFFFFFF or 0 <= there - promised < (LEAST_UNCLAIMED if promised else 1):
        return _patched(range(first, size), size)  # the first is how it says: to the end
    length = struct.pack(">I", min(there, 0xFFFFFFFF))
    return _patched(range(first, size), size, [(first + 8, length)], (_said(promised, there),))


def _mend_ogg(raw: BinaryIO, first: int, size: int) -> Mending:
    """Radio writes one recording after the other, at the end of the first of which the decoder would stop."""
    places, is_whole = ogg.recordings_in(raw, first, size)
    remarks = () if is_whole else ("its end is missing: what is there is used",)
    if len(places) > 1:
        remarks = (f"holds {len(places)} recordings, one after the other", *remarks)
    elif not first:
        return Mending((), remarks)
    return Mending(tuple((place,) for place in places), remarks)


def _mend_flac(raw: BinaryIO, first: int, size: int, to_seek: bool) -> Mending:
    """The decoder is told of no length, and so counts: it would stop at a length that is too small. Nor does it get
    what is written about the music: a picture that is damaged would be the end of it.
    """
    info = _at(raw, first + 4, 4 + STREAM_INFO_BYTES)
    if info[:4] not in (b"\0\0\0\x22", b"\x80\0\0\x22") or len(info) < 4 + STREAM_INFO_BYTES:
        return Mending()
    promised = (info[17] & 15) << 32 | int.from_bytes(info[18:22], "big")
    told = info if to_seek else info[:17] + bytes([info[17] & 0xF0, 0, 0, 0, 0]) + info[22:]
    begin = _flac_frames(raw, first + 4, size)
    if begin is None:
        return _patched(range(first, size), size, [(first + 4, told)], (), promised)
    return Mending(((b"fLaC\x80" + told[1:], range(begin, size)),), (), promised)


def _flac_frames(raw: BinaryIO, at: int, size: int) -> int | None:
    """Where the first frame is, behind all blocks of metadata; None where it is not."""
    for _ in range(MOST_CHUNKS):
        head = _at(raw, at, 4)
        if len(head) < 4:
            return None
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            sync = _at(raw, at, 2)
            return at if sync in (b"\xff\xf8", b"\xff\xf9") else None
    return None


def _mend_mp3(raw: BinaryIO, first: int, size: int) -> Mending:
    """The decoder believes the count of frames in the first one, or guesses one, and gives up at holes."""
    frames = mpeg.frames_in(raw, first, size)
    if frames is None:
        return Mending()
    hole = (f"{frames.passed} bytes in it are no sound: left out",) if frames.passed >= mpeg.LEAST_SAID else ()
    remarks = (*hole, OF_ANOTHER_KIND) if frames.others else hole
    if not mpeg.is_in_order(frames):
        return Mending((mpeg.pieces_of(frames),), remarks, (frames.said or 0) * frames.samples_each)
    is_plain = frames.places[0].start == first + len(frames.info)
    return Mending(() if is_plain else (mpeg.pieces_of(frames),), remarks)


def _patched(
    place: range,
    size: int,
    patches: Sequence[tuple[int, bytes]] = (),
    remarks: tuple[str, ...] = (),
    promised: int | None = None,
) -> Mending:
    """Those bytes of a file of `size`, with patches: the file itself where that is the same."""
    if place == range(size) and not patches:
        return Mending((), remarks, promised)
    return Mending((with_patches(place, patches),), remarks, promised)


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
