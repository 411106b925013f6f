"""Data loader of the audio network: windows in batches, each learnt in chunks."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from music_composer.audio.dataset.windows import Dataset, batches, epoch_speeds, epoch_windows, held_out_windows


@dataclasses.dataclass(frozen=True)
class WindowLoader:
    """batch_size: windows in a batch; chunk_steps: steps of them between two updates of the weights; stretch: how much
    faster or slower windows are played at most, a share.
    """

    dataset: Dataset
    batch_size: int
    chunk_steps: int
    stretch: float

    @property
    def batches(self) -> int:
        return self.dataset.batches_in_epoch(self.batch_size)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[list[np.ndarray]]]:
        """Windows (batch, steps + 1, size) chunk by chunk; the last step of one is the first of the next.

        Chunks are alike in length, since each other length is another graph to build: of a window that is no whole
        number of chunks the last steps are left out, fewer than it has chunks.
        """
        dataset = self.dataset
        windows = epoch_windows(dataset, seed, epoch)
        speeds = epoch_speeds(len(windows), self.stretch, seed, epoch) if self.stretch else None
        music, size = dataset.training, self.batch_size
        coming = batches(music, dataset.stack, windows, dataset.window, size, first, speeds)
        for batch in itertools.islice(coming, self.batches - first):
            steps = batch.shape[1] - 1
            count = -(-steps // self.chunk_steps)
            length = steps // count
            yield [[batch[:, i * length : (i + 1) * length + 1]] for i in range(count)]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        windows = held_out_windows(self.dataset)
        size = min(self.batch_size, len(windows)) or 1
        for batch in batches(self.dataset.validation, self.dataset.stack, windows, self.dataset.unit, size):
            yield [batch], 1
