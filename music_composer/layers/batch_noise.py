"""Random numbers for a batch of which a process may hold only some rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
from keras import ops

from music_composer.values import Rows

Tensor = Any


@dataclasses.dataclass(frozen=True)
class BatchNoise:
    """Draws by a seed generator. rows: those of the batch that are here; None: all of them.

    The numbers of a row are the same, to the last bit, whichever other rows are here. So they are drawn for the whole
    batch and cut: that costs little beside what is computed from them.
    """

    seed: keras.random.SeedGenerator
    rows: Rows | None = None

    def uniform(self, shape: tuple[Any, ...], axis: int = 0) -> Tensor:
        """Draws from 0 to 1. shape: of the rows that are here, which are along `axis`."""
        return self._cut(keras.random.uniform(self._whole(shape, axis), seed=self.seed), axis)

    def normal(self, shape: tuple[Any, ...], axis: int = 0) -> Tensor:
        """Draws normal deviates. shape, axis: as `uniform` has them."""
        return self._cut(keras.random.normal(self._whole(shape, axis), seed=self.seed), axis)

    def dropout(self, x: Tensor, rate: float) -> Tensor:
        """Zeroes a share `rate` of x (batch, ...), and scales the rest to keep the mean (Srivastava et al. 2014)."""
        if self.rows is None:
            return keras.random.dropout(x, rate, seed=self.seed)
        mask = keras.random.dropout(ops.ones(self._whole(ops.shape(x), 0), x.dtype), rate, seed=self.seed)
        return x * self._cut(mask, 0)

    def _whole(self, shape: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
        return shape if self.rows is None else (*shape[:axis], self.rows.of, *shape[axis + 1 :])

    def _cut(self, numbers: Tensor, axis: int) -> Tensor:
        if self.rows is None:
            return numbers
        return numbers[(slice(None),) * axis + (slice(self.rows.start, self.rows.stop),)]
