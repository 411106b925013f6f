"""A file as the decoder sees it: pieces of the file on disk, and bytes between them that are not in it."""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Pieces = tuple[bytes | range, ...]  # bytes themselves, or ranges of the file's bytes, in order
FARTHEST = 2**62  # the largest position that a decoder may seek to


class PiecedFile(io.RawIOBase):
    """Reads pieces one after the other. The file itself is never changed.

    failure: the error of the last failed read, since exceptions cannot pass through the decoder.
    """

    def __init__(self, path: Path, pieces: Pieces) -> None:
        """Raises OSError when the file cannot be opened."""
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
        """Moves to a position.

        Damaged headers lead outside of the file; such positions become its beginning or far end.
        """
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._begins[-1]}[whence]
        self._at = min(max(0, begin + offset), FARTHEST)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer as far as there are bytes: the decoder takes a short read for the end of the file."""
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
    """Returns a range of a file with some bytes replaced. patches: (position in the file, bytes), not overlapping."""
    pieces: list[bytes | range] = []
    begin = place.start
    for at, patch in sorted(patches):
        pieces += [range(begin, at), patch]
        begin = at + len(patch)
    return (*pieces, range(begin, place.stop))
