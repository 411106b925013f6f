"""Latents back to steps by those around them, and how much is still missing; fitted by sums that can be merged.

Principal components decode a step by its own latents alone. What they cut off of it can in part be told from the
steps before and after: a linear decoder of a window of latents, found by ridge regression (Hoerl & Kennard 1970) of the
components' residual. What it leaves is put back as noise, band by band, when music is played.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.pca import Encoding, decode, encode, fitting_blocks

PENALTY = 0.01  # of the ridge: added to the mean square of each latent, which is 1 on average


@dataclasses.dataclass(frozen=True)
class WindowSums:
    """Sums over steps: how many, of w w' (width, width), of w r' (width, size) and of r r (size,), float64.

    w: the latents of a window, `windows_of`. r: what the components lack of the step in its middle.
    """

    count: int
    products: np.ndarray
    cross: np.ndarray
    squares: np.ndarray


@dataclasses.dataclass(frozen=True)
class WindowDecoder:
    """steps = windows @ kernel + bias, and noise of these deviations; see `windows_of`.

    kernel ((2 * reach + 1) * components, size), bias and deviations (size,), float32.
    """

    kernel: np.ndarray
    bias: np.ndarray
    deviations: np.ndarray


def fit_decoder(songs: Sequence[FrameArray], stack: int, encoding: Encoding, reach: int) -> WindowDecoder:
    """The decoder of windows of `reach` steps on either side, for the music that the encoding was fitted to.

    songs: each (frames, channels, bands), read block by block.
    """
    sums = merge_sums(window_sums(block, encoding, reach) for block in fitting_blocks(songs, stack))
    return ridge(sums, encoding)


def windows_of(latents: np.ndarray, reach: int) -> np.ndarray:
    """(..., steps + 2 * reach, components) -> (..., steps, (2 * reach + 1) * components), the earliest first."""
    steps = latents.shape[-2] - 2 * reach
    return np.concatenate([latents[..., i : i + steps, :] for i in range(2 * reach + 1)], axis=-1)


def extended(latents: np.ndarray, reach: int) -> np.ndarray:
    """(steps, components) with the first and the last of them `reach` times more: every step has a window."""
    return np.pad(latents, ((reach, reach), (0, 0)), mode="edge")


def window_sums(steps: np.ndarray, encoding: Encoding, reach: int) -> WindowSums:
    """Sums over the rows of `steps`, shape (steps, size), which follow each other."""
    latents = encode(steps, encoding)
    residual = steps - decode(latents, encoding)
    windows = windows_of(extended(latents, reach), reach)
    parts = (windows.T @ windows, windows.T @ residual, np.square(residual).sum(axis=0, dtype=np.float64))
    return WindowSums(len(steps), *(part.astype(np.float64) for part in parts))


def merge_sums(parts: Iterable[WindowSums]) -> WindowSums:
    """The sums of all parts together."""
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
    """The components' own decoder, and what the window says beyond it, held back by PENALTY."""
    width, components = len(sums.products), len(encoding.backward)
    kernel = np.linalg.solve(sums.products + PENALTY * sums.count * np.eye(width), sums.cross)
    lost = sums.squares - 2 * (kernel * sums.cross).sum(axis=0) + (kernel * (sums.products @ kernel)).sum(axis=0)
    middle = (width - components) // 2
    kernel[middle : middle + components] += encoding.backward
    deviations = np.sqrt(np.maximum(lost, 0) / sums.count)
    return WindowDecoder(kernel.astype(np.float32), encoding.mean, deviations.astype(np.float32))
