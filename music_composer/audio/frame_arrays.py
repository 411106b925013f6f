"""Arrays of frames that stay on disk until they are sliced.

No file is kept open, so the number of recordings is not bounded by the number of open files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from music_composer.errors import CacheError

HEADER_BYTES = 128  # of an NPY file; it has room for any number of frames
FRAME_TYPE = np.dtype("<f2")


class FrameArray(Protocol):
    """An array of frames (frames, channels, bands) that is read by slices. A NumPy array is one too."""

    @property
    def shape(self) -> Any: ...

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class ShardFrames:
    """Frames first..stop of a shard, float16, with `channels` channels.

    folder, name: of its file.
    stored: channels in the file. missing: value of the channels that the file lacks; surplus channels are dropped.
    offset: bytes of other frames before them, see `audio.dataset.packs`.
    """

    folder: Path
    name: str
    first: int
    stop: int
    stored: int
    channels: int
    bands: int
    missing: float = 0.0
    offset: int = 0

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self), self.channels, self.bands

    def __len__(self) -> int:
        return self.stop - self.first

    def __getitem__(self, part: slice) -> np.ndarray:
        """Returns a copy of the frames. Raises CacheError when the file is missing, or shorter than the index says."""
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError("frames are read in one piece: a step is not possible")
        found = self._read(self.first + start, max(0, stop - start))
        if self.stored >= self.channels:
            return found[:, : self.channels]
        lacking = ((0, 0), (0, self.channels - self.stored), (0, 0))
        return np.pad(found, lacking, constant_values=np.float16(self.missing))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def _read(self, start: int, frames: int) -> np.ndarray:
        size = self.stored * self.bands
        offset = HEADER_BYTES + self.offset + start * size * FRAME_TYPE.itemsize
        try:
            # A memory map would keep the file open.
            found = np.fromfile(self.path, FRAME_TYPE, frames * size, offset=offset)
        except (OSError, ValueError) as error:
            raise self._damaged(str(error)) from error
        if len(found) != frames * size:
            raise self._damaged("it is shorter than it was")
        return found.reshape(frames, self.stored, self.bands)

    def _damaged(self, why: str) -> CacheError:
        return CacheError(f"{self.path} is damaged ({why}): run `music-composer prepare` to make it again")


class JoinedFrames:
    """Several pieces of frames as one array that is read where it is sliced."""

    def __init__(self, pieces: Sequence[tuple[FrameArray, int, int]]) -> None:
        """pieces: (array, start, stop), of which the frames start..stop are used."""
        self._pieces = [piece for piece in pieces if piece[2] > piece[1]]
        self._ends = np.cumsum([stop - start for _, start, stop in self._pieces], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *(self._pieces[0][0].shape[1:] if self._pieces else (0, 0)))

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError("frames are read in one piece: a step is not possible")
        return self.around(start, max(0, stop - start))

    def around(self, start: int, frames: int) -> np.ndarray:
        """Returns `frames` frames from number `start` on. The first frame follows the last."""
        found = []
        # Right side: a start at the end of one piece belongs to the next.
        number = int(np.searchsorted(self._ends, start, side="right"))
        while frames > 0:
            array, first, stop = self._pieces[number]
            skipped = start - (int(self._ends[number]) - (stop - first))
            piece = array[first + skipped : min(stop, first + skipped + frames)]
            found.append(piece)
            frames -= len(piece)
            number = (number + 1) % len(self._pieces)
            start = int(self._ends[number - 1]) if number else 0
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.zeros(self.shape, np.float16)[:0]
