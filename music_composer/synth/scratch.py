"""Temporary sound for several passes: in memory while it is short, then in an unnamed file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from music_composer.errors import MusicComposerError
from music_composer.files.atomic import reason

IN_MEMORY = 48 * 2**20  # bytes, 2.5 minutes of stereo sound


class Scratch:
    """A list of float32 blocks (channels, samples) that keeps few blocks in memory, and stores silence as a shape
    alone.

    folder: for a temporary file once memory is full; without one all blocks stay in memory. Raises MusicComposerError
    when the disk refuses.
    """

    def __init__(self, folder: Path | None, in_memory: int = IN_MEMORY) -> None:
        self._folder, self._free = folder, in_memory
        self._file: IO[bytes] | None = None
        # A shape, with an array, its place in the file, or None for silence.
        self._blocks: list[tuple[tuple[int, ...], np.ndarray | int | None]] = []

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._blocks.clear()
        if self._file:
            self._file.close()

    @property
    def held(self) -> int:
        """Bytes of sound in memory."""
        return sum(content.nbytes for _, content in self._blocks if isinstance(content, np.ndarray))

    def append(self, block: np.ndarray) -> None:
        content: np.ndarray | int | None = None
        if block.any():
            fits = not self._folder or block.nbytes <= self._free
            content = block if fits else self._written(block)
            self._free -= block.nbytes if fits else 0
        self._blocks.append((block.shape, content))

    def __iter__(self) -> Iterator[np.ndarray]:
        for shape, content in self._blocks:
            yield content if isinstance(content, np.ndarray) else self._read(shape, content)

    def _written(self, block: np.ndarray) -> int:
        with self._named():
            if not self._file:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            place = self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(block).data)
            return place

    def _read(self, shape: tuple[int, ...], place: int | None) -> np.ndarray:
        block = np.zeros(shape, np.float32)
        if place is not None and self._file:
            with self._named():
                self._file.seek(place)
                block = np.frombuffer(self._file.read(block.nbytes), np.float32).reshape(shape)
        return block

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MusicComposerError(f"{self._folder} cannot be written to: {reason(error)}") from error
