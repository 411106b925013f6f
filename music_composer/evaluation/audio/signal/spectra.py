"""Windows of a stream of samples, and the window function of spectra."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError

Array = NDArray[np.float32] | NDArray[np.float64]
WINDOWS_AT_ONCE = 64  # bounds the memory of spectra, however long a block is


def windows_of_blocks(blocks: Iterable[Array], length: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """Yields all whole windows of a stream of mono blocks, (at most WINDOWS_AT_ONCE, length) at a time.

    They begin hop samples apart, at most their length; an incomplete last one is left out. The bounds of the blocks
    make no difference. Raises MusicComposerError for samples that are not numbers.
    """
    pending = np.empty(0, np.float32)
    for block in blocks:
        # A single NaN would turn every mean of the recording into NaN.
        if not np.isfinite(block).all():
            raise MusicComposerError("The music to be measured holds samples that are not numbers (NaN or infinite).")
        pending = np.concatenate([pending, np.asarray(block, np.float32)])
        if len(pending) >= length:
            windows = np.lib.stride_tricks.sliding_window_view(pending, length)[::hop]
            yield from (windows[at : at + WINDOWS_AT_ONCE] for at in range(0, len(windows), WINDOWS_AT_ONCE))
            pending = pending[len(windows) * hop :]


@lru_cache(maxsize=8)
def scaled_hann(length: int) -> NDArray[np.float32]:
    """Returns a periodic Hann window (length,) whose rfft shows a full-scale sine with power 1."""
    window = scipy.signal.get_window("hann", length)
    return (window * 2.0 / window.sum()).astype(np.float32)
