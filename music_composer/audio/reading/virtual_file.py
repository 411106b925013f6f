"""A file as the decoder is to see it: pieces of the one on the disk, and bytes between them that are not in it."""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Pieces = tuple[bytes | range, ...]  # bytes themselves, and places of the file's bytes, in this order
FARTHEST = 2**62  # place that a decoder may ask for


class PiecedFile(io.RawIOBase):
    """Reads pieces one after the other. The file itself is never changed.

    failure: what kept the system from reading: errors cannot pass through the decoder.
    """

    def __init__(self, path: Path, pieces: Pieces) -> None:
        """Raises OSError."""
        super().__init__()
        self._file = io.FileIO(path, "rb")
        self._pieces = [piece for piece in pieces if len(piece)]
        self._begins = list(itertools.accumulate(map(len, self._pieces), initial=0))
        self._at = 0
        self.failure: OSError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """A place outside of the file, as damaged headers have decoders ask for, is its beginning or far behind it."""
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._begins[-1]}[whence]
        self._at = min(max(0, begin + offset), FARTHEST)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """As much as there is, in one call: the decoder takes less for the end."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            number = bisect.bisect_right(self._begins, self._at) - 1
            if number == len(self._pieces):
                break
            count = self._read_piece(self._pieces[number], self._at - self._begins[number], view[done:])
            if not count:
                break
            done += count
            self._at += count
        return done

    def _read_piece(self, piece: bytes | range, at: int, view: memoryview) -> int:
        count = min(len(view), len(piece) - at)
        if isinstance(piece, bytes):
            view[:count] = piece[at : at + count]
            return count
        try:
            self._file.seek(piece.start + at)
            return self._file.readinto(view[:count]) or 0
        except OSError as error:
            self.failure = error
            return 0

    def close(self) -> None:
        self._file.close()
        super().close()


def with_patches(place: range, patches: Sequence[tuple[int, bytes]]) -> Pieces:
    """Those bytes of a file, some of them replaced by others: (place in the file, bytes), which do not overlap."""
    pieces: list[bytes | range] = []
    begin = place.start
    for at, patch in sorted(patches):
        pieces += [range(begin, at), patch]
        begin = at + len(patch)
    return (*pieces, range(begin, place.stop))
