"""Repairs lengths in the headers of recordings. They are often wrong: recorders lose power, pipes know no length.

The size of the file is compared with its header. Where the two disagree, the decoder gets other bytes in place of the
header. The file itself is never changed.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from music_composer.audio.reading import mp3_frames, ogg
from music_composer.audio.reading.virtual_file import Pieces, with_patches

MIN_UNCLAIMED = 4096  # bytes after the sound that no chunk claims; from this many on they count as sound
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # which players append to any file
MAX_CHUNKS = 10_000
STREAM_INFO_BYTES = 34  # of the first metadata block of a FLAC
OF_ANOTHER_KIND = "what follows has another rate or other channels: it is not read"
ONE_OF_SEVERAL = "holds several recordings, one after the other: only the first is read"
WAV_CHUNK, AIFF_CHUNK, CAF_CHUNK = struct.Struct("<4sI"), struct.Struct(">4sI"), struct.Struct(">4sq")


@dataclasses.dataclass(frozen=True)
class Repair:
    """What the decoder gets in place of a file, and the remarks on it.

    recordings: the pieces of each recording in turn; empty where the decoder gets the file itself. declared: samples
    according to the header, where the decoder does not see them.
    """

    recordings: tuple[Pieces, ...] = ()
    remarks: tuple[str, ...] = ()
    declared: int | None = None


def repair(raw: BinaryIO, size: int, to_seek: bool = False) -> Repair:
    """Returns the repairs of an opened file of `size` bytes.

    to_seek: pass the length in the header to the decoder, without which FLAC cannot seek.
    """
    begin = mp3_frames.after_tags(raw, 0, size)
    head = _at(raw, begin, 12)
    kind, form = head[:4], head[8:12]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":
        return _repair_wav(raw, begin, size, kind)
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _repair_aiff(raw, begin, size)
    if kind == b"caff":
        return _repair_caf(raw, begin, size)
    if kind == b".snd":
        return _repair_au(raw, begin, size)
    if kind == ogg.PAGE:
        return _repair_ogg(raw, begin, size)
    if kind == b"fLaC":
        return _repair_flac(raw, begin, size, to_seek)
    return _repair_mp3(raw, begin, size)


def _repair_wav(raw: BinaryIO, first: int, size: int, kind: bytes) -> Repair:
    patches, long_size = [], 0  # position of the 64-bit size of the sound
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
    place, begin, declared = found
    if long_size and declared == 0xFFFFFFFF:
        declared = int.from_bytes(_at(raw, long_size, 8), "little")
    present = _sound_bytes(raw, size, begin, declared, WAV_CHUNK)
    end, remarks = _end_of_wav(raw, size, begin + present)
    if present != declared:
        remarks += (_remark_on_length(declared, present),)
        if long_size:
            patches += [(long_size - 8, struct.pack("<QQ", size - 8, present)), (place, b"\xff" * 4)]
        elif declared < present:
            patches.append((place, struct.pack("<I", min(present, 0xFFFFFFFF))))
        elif not patches:
            return Repair()  # the decoder finds and reports that itself
    return _patched(range(first, end), size, patches, remarks)


def _end_of_wav(raw: BinaryIO, size: int, end: int) -> tuple[int, tuple[str, ...]]:
    """Returns where to end a file whose sound ends at `end`, and the remarks on it.

    Chunks behind the sound that make the decoder refuse the whole file are cut off.
    """
    names = {name for name, *_ in _chunks(raw, end + end % 2, size, WAV_CHUNK, 2)}
    return (end, (ONE_OF_SEVERAL,)) if names & {b"RIFF", b"fmt ", b"data"} else (size, ())


def _repair_aiff(raw: BinaryIO, first: int, size: int) -> Repair:
    for name, place, begin, declared in _chunks(raw, first + 12, size, AIFF_CHUNK, 2):
        if name == b"SSND" and declared:  # the decoder takes 0 as: to the end of the file
            present = _sound_bytes(raw, size, begin, declared, AIFF_CHUNK)
            if present > declared:
                return _patched(
                    range(first, size),
                    size,
                    [(place, struct.pack(">I", present))],
                    (_remark_on_length(declared, present),),
                )
    return _patched(range(first, size), size)


def _repair_caf(raw: BinaryIO, first: int, size: int) -> Repair:
    for name, place, begin, declared in _chunks(raw, first + 8, size, CAF_CHUNK, 1):
        if name == b"data":
            present = _sound_bytes(raw, size, begin, declared, CAF_CHUNK)
            if present != declared:
                remarks = (
                    () if declared == -1 else (_remark_on_length(declared, present),)
                )  # -1 means: to the end of the file
                return _patched(range(first, size), size, [(place, struct.pack(">q", present))], remarks)
    return _patched(range(first, size), size)


def _repair_au(raw: BinaryIO, first: int, size: int) -> Repair:
    begin, declared = struct.unpack(">4xII", _at(raw, first, 12).ljust(12, b"\0"))
    present = max(0, size - first - begin)
    if declared == 0xFFFFFFFF or 0 <= present - declared < (MIN_UNCLAIMED if declared else 1):
        return _patched(range(first, size), size)  # the first means: to the end of the file
    length = struct.pack(">I", min(present, 0xFFFFFFFF))
    return _patched(range(first, size), size, [(first + 8, length)], (_remark_on_length(declared, present),))


def _repair_ogg(raw: BinaryIO, first: int, size: int) -> Repair:
    """Splits a chain of recordings, as radio writes them. The decoder would stop at the end of the first."""
    places, is_whole = ogg.recordings_in(raw, first, size)
    remarks = () if is_whole else ("its end is missing: what is there is used",)
    if len(places) > 1:
        remarks = (f"holds {len(places)} recordings, one after the other", *remarks)
    elif not first:
        return Repair((), remarks)
    return Repair(tuple((place,) for place in places), remarks)


def _repair_flac(raw: BinaryIO, first: int, size: int, to_seek: bool) -> Repair:
    """Removes the length and the metadata from the header.

    Without a length the decoder counts samples; it would stop at a length that is too small. Metadata goes because a
    damaged picture would end the whole reading.
    """
    info = _at(raw, first + 4, 4 + STREAM_INFO_BYTES)
    if info[:4] not in (b"\0\0\0\x22", b"\x80\0\0\x22") or len(info) < 4 + STREAM_INFO_BYTES:
        return Repair()
    declared = (info[17] & 15) << 32 | int.from_bytes(info[18:22], "big")
    info_block = info if to_seek else info[:17] + bytes([info[17] & 0xF0, 0, 0, 0, 0]) + info[22:]
    begin = _flac_frames(raw, first + 4, size)
    if begin is None:
        return _patched(range(first, size), size, [(first + 4, info_block)], (), declared)
    return Repair(((b"fLaC\x80" + info_block[1:], range(begin, size)),), (), declared)


def _flac_frames(raw: BinaryIO, at: int, size: int) -> int | None:
    """Returns the position of the first frame behind all metadata blocks, or None where there is no frame."""
    for _ in range(MAX_CHUNKS):
        head = _at(raw, at, 4)
        if len(head) < 4:
            return None
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            sync = _at(raw, at, 2)
            return at if sync in (b"\xff\xf8", b"\xff\xf9") else None
    return None


def _repair_mp3(raw: BinaryIO, first: int, size: int) -> Repair:
    """Replaces a wrong frame count and cuts out holes.

    The decoder trusts the count, or guesses one, and stops at holes.
    """
    frames = mp3_frames.frames_in(raw, first, size)
    if frames is None:
        return Repair()
    hole = (f"{frames.passed} bytes in it are no sound: left out",) if frames.passed >= mp3_frames.MIN_SAID else ()
    remarks = (*hole, OF_ANOTHER_KIND) if frames.others else hole
    if not mp3_frames.is_in_order(frames):
        return Repair((mp3_frames.pieces_of(frames),), remarks, (frames.declared or 0) * frames.samples_each)
    is_plain = frames.places[0].start == first + len(frames.info)
    return Repair(() if is_plain else (mp3_frames.pieces_of(frames),), remarks)


def _patched(
    place: range,
    size: int,
    patches: Sequence[tuple[int, bytes]] = (),
    remarks: tuple[str, ...] = (),
    declared: int | None = None,
) -> Repair:
    """Returns a range of a file of `size` bytes with patches; the file itself where nothing changes."""
    if place == range(size) and not patches:
        return Repair((), remarks, declared)
    return Repair((with_patches(place, patches),), remarks, declared)


def _sound_bytes(raw: BinaryIO, size: int, begin: int, declared: int, chunk: struct.Struct) -> int:
    """Returns the bytes of sound from `begin` on: the declared number, if what follows makes sense."""
    present = max(0, size - begin)
    if not 0 <= declared <= present:
        return present
    left = present - declared
    follows = [_is_chunks(raw, begin + declared + odd, size, chunk) for odd in (declared & 1, 0)]
    if any(follows) or (declared and left < MIN_UNCLAIMED):
        return declared
    rest = _at(raw, begin + declared, MIN_UNCLAIMED)
    return declared if declared and (rest.startswith(TAGS) or not any(rest)) else present


def _is_chunks(raw: BinaryIO, at: int, size: int, chunk: struct.Struct) -> bool:
    """Returns whether the rest of a file consists of whole chunks only, or is empty."""
    for name, _, begin, length in _chunks(raw, at, size, chunk, 1 if chunk is CAF_CHUNK else 2):
        if not name.isascii() or not name.decode("ascii").isprintable() or not 0 <= length <= size - begin:
            return False
        at = begin + length
    return size - at < chunk.size


def _chunks(
    raw: BinaryIO, at: int, size: int, chunk: struct.Struct, even: int
) -> Iterator[tuple[bytes, int, int, int]]:
    """Yields name, position of the length, position of the content and length of each chunk that begins in the file."""
    for _ in range(MAX_CHUNKS):
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


def _remark_on_length(declared: int, present: int) -> str:
    return f"its header promises {declared} bytes of sound, the file holds {present}: these are used"
