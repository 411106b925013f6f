"""Pages of an Ogg file: where each of its recordings begins, and whether the last one has its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

PAGE = b"OggS"
HEADER_BYTES = 27
BEGINS, ENDS = 2, 4  # flags of a page
SEARCH_BYTES = 1 << 16


def recordings_in(raw: BinaryIO, begin: int, size: int) -> tuple[list[range], bool]:
    """Places of the recordings that follow each other in a file, as radio has them, and whether the last one is whole.

    Several streams that begin together are one recording.
    """
    begins, within, ended, end = [begin], False, False, begin
    for place, flags, following in _pages(raw, begin, size):
        if flags & BEGINS and within:
            begins.append(place)
            within = False
        within = within or not flags & BEGINS
        ended, end = bool(flags & ENDS) and following <= size, min(following, size)
    stops = [*begins[1:], max(end, begin)]
    return [range(first, stop) for first, stop in zip(begins, stops, strict=True)], ended


def _pages(raw: BinaryIO, at: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Place, flags and end of each page; what lies between pages is passed over."""
    while at < size:
        raw.seek(at)
        head = raw.read(HEADER_BYTES)
        if len(head) < HEADER_BYTES or head[:4] != PAGE:
            at = _next_page(raw, at + 1, size)
            continue
        segments = raw.read(head[26])
        following = at + HEADER_BYTES + head[26] + sum(segments)
        yield at, head[5], following
        at = following


def _next_page(raw: BinaryIO, at: int, size: int) -> int:
    """The place of the next page, or `size`."""
    while at < size:
        raw.seek(at)
        block = raw.read(SEARCH_BYTES)
        found = block.find(PAGE)
        if found >= 0:
            return at + found
        if len(block) < SEARCH_BYTES:
            break
        at += len(block) - len(PAGE) + 1
    return size
