"""The plain values that travel between the stations."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Waveform:
    """Sound as samples.

    samples: float32, shape (samples, channels), full scale is 1.0; channels is 1 or 2 (left, right).
    rate: samples a second.
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclasses.dataclass(frozen=True)
class Frames:
    """Sound as log-magnitudes of frequency bands, one row every hop.

    bands: float, shape (frames, channels, bands), natural logarithms; channel 0 is mid, channel 1 is side.
    """

    bands: np.ndarray

    @property
    def channels(self) -> int:
        return self.bands.shape[1]
