"""Decodes latents with a linear window decoder, and measures the residual that it leaves.

Principal components decode a step from its own latents alone. Part of what they lose can be predicted from the steps
around it. Ridge regression (Hoerl and Kennard 1970) of the residual on a window of latents finds that part. The rest is
replaced by noise, band by band, when music is generated. The fit uses sums that can be merged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.pca import Encoding, decode, encode, fitting_blocks

PENALTY = 0.01  # ridge penalty: added to the mean square of each latent, which is 1 on average


@dataclasses.dataclass(frozen=True)
class WindowSums:
    """Sums over steps: their count, w w' (width, width), w r' (width, size) and r r (size,), float64.

    w: the latents of a window, see `windows_of`. r: the residual of the principal components at the middle step.
    """

    count: int
    products: np.ndarray
    cross: np.ndarray
    squares: np.ndarray


@dataclasses.dataclass(frozen=True)
class WindowDecoder:
    """steps = windows @ kernel + bias, plus noise of the given deviations; see `windows_of`.

    kernel: ((2 * reach + 1) * components, size). bias, deviations: (size,). All float32.
    """

    kernel: np.ndarray
    bias: np.ndarray
    deviations: np.ndarray


def fit_decoder(songs: Sequence[FrameArray], frames_per_step: int, encoding: Encoding, reach: int) -> WindowDecoder:
    """Fits a decoder of windows with `reach` steps on either side.

    songs: the music that the encoding was fitted to, arrays (frames, channels, bands), which are read block by block.
    """
    sums = merge_sums(window_sums(block, encoding, reach) for block in fitting_blocks(songs, frames_per_step))
    return ridge(sums, encoding)


def windows_of(latents: np.ndarray, reach: int) -> np.ndarray:
    """(..., steps + 2 * reach, components) -> (..., steps, (2 * reach + 1) * components), earliest step first."""
    steps = latents.shape[-2] - 2 * reach
    return np.concatenate([latents[..., i : i + steps, :] for i in range(2 * reach + 1)], axis=-1)


def extended(latents: np.ndarray, reach: int) -> np.ndarray:
    """Repeats the first and the last of latents (steps, components) `reach` times, so that every step has a window."""
    return np.pad(latents, ((reach, reach), (0, 0)), mode="edge")


def window_sums(steps: np.ndarray, encoding: Encoding, reach: int) -> WindowSums:
    """Returns the sums over successive steps, shape (steps, size)."""
    latents = encode(steps, encoding)
    residual = steps - decode(latents, encoding)
    windows = windows_of(extended(latents, reach), reach)
    parts = (windows.T @ windows, windows.T @ residual, np.square(residual).sum(axis=0, dtype=np.float64))
    return WindowSums(len(steps), *(part.astype(np.float64) for part in parts))


def merge_sums(parts: Iterable[WindowSums]) -> WindowSums:
    """Adds up the sums of several parts."""
    rest = iter(parts)
    first = next(rest)
    count, products, cross, squares = first.count, first.products.copy(), first.cross.copy(), first.squares.copy()
    for part in rest:
        count += part.count
        products += part.products
        cross += part.cross
        squares += part.squares
    return WindowSums(count, products, cross, squares)


def ridge(sums: WindowSums, encoding: Encoding) -> WindowDecoder:
    """Solves the ridge regression: the components' own decoder plus what the window adds to it."""
    width, components = len(sums.products), len(encoding.backward)
    kernel = np.linalg.solve(sums.products + PENALTY * sums.count * np.eye(width), sums.cross)
    # The residual's energy follows from the same sums, so the music is read only once.
    lost = sums.squares - 2 * (kernel * sums.cross).sum(axis=0) + (kernel * (sums.products @ kernel)).sum(axis=0)
    # The kernel so far predicts the residual alone; the step itself comes from the latents in the middle.
    middle = (width - components) // 2
    kernel[middle : middle + components] += encoding.backward
    deviations = np.sqrt(np.maximum(lost, 0) / sums.count)
    return WindowDecoder(kernel.astype(np.float32), encoding.mean, deviations.astype(np.float32))
