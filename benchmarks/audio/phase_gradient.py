"""Phase gradient heap integration (Prusa, Balazs & Sondergaard 2017), for comparison with the phase search of the tool.

The phase of an analysis with a Gaussian window follows from the slopes of its log-magnitude. It is integrated from the
loudest bin outwards, always over the loudest border; a Hann window is close enough to a Gaussian one.
"""

import heapq

import numpy as np

from music_composer.audio.options import FrameOptions
from music_composer.audio.phase import HANN_GAMMA

TOLERANCE = 1e-4  # of the loudest magnitude: below it phase is noise


def integrated_phases(magnitudes: np.ndarray, options: FrameOptions, rng: np.random.Generator) -> np.ndarray:
    """magnitudes (frames, bins) -> phases (frames, bins), radians, as `phase.samples_of` takes them."""
    frames, bins = magnitudes.shape
    level = np.log(np.maximum(magnitudes, 1e-10))
    slope = HANN_GAMMA * options.window / options.hop
    padded = np.pad(level, 1, mode="edge")
    along_time = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2 / slope
    along_time += 2 * np.pi * options.hop / options.window * np.arange(bins)
    along_bins = -slope * (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2 + np.pi  # windows begin, not centre, at zero
    phases = rng.uniform(0, 2 * np.pi, magnitudes.shape)
    todo = magnitudes > TOLERANCE * magnitudes.max()
    order = np.argsort(magnitudes, axis=None)[::-1]
    for first in order[: int(todo.sum())]:
        n, m = divmod(int(first), bins)
        if todo[n, m]:
            todo[n, m] = False
            _spread(n, m, phases, todo, magnitudes, along_time, along_bins)
    return (phases % (2 * np.pi)).astype(np.float32)


def _spread(
    n: int, m: int, phases: np.ndarray, todo: np.ndarray, loud: np.ndarray, in_time: np.ndarray, in_bins: np.ndarray
) -> None:
    """Integrates from one bin to all that hang together with it, by the trapezoidal rule."""
    frames, bins = phases.shape
    heap = [(-loud[n, m], n, m)]
    while heap:
        _, n, m = heapq.heappop(heap)
        for i, j in ((n + 1, m), (n - 1, m), (n, m + 1), (n, m - 1)):
            if 0 <= i < frames and 0 <= j < bins and todo[i, j]:
                slope = in_time if j == m else in_bins
                phases[i, j] = phases[n, m] + (i - n + j - m) * (slope[n, m] + slope[i, j]) / 2
                todo[i, j] = False
                heapq.heappush(heap, (-loud[i, j], i, j))
