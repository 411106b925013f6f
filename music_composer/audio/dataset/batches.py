"""Data loader of the audio network: windows in batches, each trained on in chunks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.dataset.windows import Dataset, batches, epoch_speeds, epoch_windows, held_out_windows
from music_composer.values import Rows


@dataclasses.dataclass(frozen=True)
class WindowLoader:
    """Loads batches of windows.

    batch_size: windows in a batch. chunk_steps: steps of a window between two updates of the weights. time_stretch: the
    largest share by which windows are played faster or slower. rows: the windows of each batch that are loaded; None:
    all of them.
    """

    dataset: Dataset
    batch_size: int
    chunk_steps: int
    time_stretch: float
    rows: Rows | None = None

    @property
    def batches(self) -> int:
        return self.dataset.batches_in_epoch(self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        """Yields windows (batch, steps + 1, size) in chunks. The last step of a chunk is the first of the next.

        All chunks have the same length, because every other length needs a graph of its own. Steps that do not fill the
        chunks are left out: fewer than there are chunks.
        """
        dataset = self.dataset
        windows = epoch_windows(dataset, seed, epoch)
        # Windows at other speeds bring continuations nearer to real music.
        speeds = epoch_speeds(len(windows), self.time_stretch, seed, epoch) if self.time_stretch else None
        music, size = dataset.training, self.batch_size
        coming = batches(music, dataset.frames_per_step, windows, dataset.window, size, first, speeds, self.rows)
        for batch in itertools.islice(coming, self.batches - first):
            steps = batch.shape[1] - 1
            count = -(-steps // self.chunk_steps)
            length = steps // count
            yield [[batch[:, i * length : (i + 1) * length + 1]] for i in range(count)]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        """Yields batches of held-out windows, each with its weight."""
        windows = held_out_windows(self.dataset)
        size = min(self.batch_size, len(windows)) or 1
        for batch in batches(self.dataset.validation, self.dataset.frames_per_step, windows, self.dataset.unit, size):
            yield [batch], 1
