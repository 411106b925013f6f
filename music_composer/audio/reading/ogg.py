"""Finds the recordings in an Ogg file, and whether the last one is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

PAGE = b"OggS"
HEADER_BYTES = 27
BEGINS, ENDS = 2, 4  # page flags
SEARCH_BYTES = 1 << 16


def recordings_in(raw: BinaryIO, begin: int, size: int) -> tuple[list[range], bool]:
    """Returns the ranges of successive recordings in a file, and whether the last one is complete.

    Radio writes such files. Several streams that begin together are one recording.
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
    """Yields position, flags and end of each page. Bytes between pages are skipped."""
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
    """Returns the position of the next page, or `size`."""
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
