"""Separates a stream of sound into a harmonic and a percussive layer, by median filters along time and frequency.

After Fitzgerald 2010 ("Harmonic/percussive separation using median filtering", DAFx). The harmonic layer of one piece
and the percussive layer of another make music that neither of them is.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.fft
import scipy.ndimage

from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class LayerOptions:
    """The spectrogram and its filters."""

    fft: int = 2048  # samples of a window: 46 ms
    hop: int = 512  # samples from one window to the next: 12 ms
    median: int = 17  # frames, and bins, of a median
    # Layers that share amplitude lose level; layers that share energy are farther from the training music.
    power: float = 0.7  # of a bin's share that is its gain: at 0.5 layers share energy, at 1 amplitude

    def __post_init__(self) -> None:
        if self.hop < 1 or self.fft % (4 * self.hop) or self.median < 1 or self.median % 2 == 0:
            raise OptionError(f"{self}: fft must be a multiple of four hops, and median be odd.")
        if not 0.0 < self.power <= 1.0:
            raise OptionError(f"{self}: power must lie above 0 and be at most 1.")

    @property
    def delay(self) -> int:
        """Largest delay in samples."""
        return self.fft + (self.median // 2 + 1) * self.hop


class Layers:
    """Separates one layer from blocks of sound as they come. Silence precedes the first block.

    strikes: the percussive layer, else the harmonic one. Layers that share energy are, for two unlike sounds, together
    as loud as one. Layers that share amplitude add up to the original, for one sound. The default power lies between.
    """

    def __init__(self, channels: int, options: LayerOptions, strikes: bool) -> None:
        self.options, self.strikes = options, strikes
        bins = options.fft // 2 + 1
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(options.fft) / options.fft)).astype(np.float32)
        self.sound = np.zeros((options.fft, channels), np.float32)  # from the first sample of the next frame on
        self.magnitudes = np.zeros((options.median // 2, bins), np.float32)  # of frames that later medians need
        self.spectra = np.zeros((0, channels, bins), np.complex64)  # of frames not separated yet
        self.sums = np.zeros((options.fft, channels), np.float32)  # overlap-add of the layer
        self.pending = np.zeros((0, channels), np.float32)  # sound not given out yet
        self.early = options.fft  # samples of the initial silence still to come out

    def push(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the layer and the unseparated sound, (samples, channels) each, in the order of the blocks.

        block: float32 (samples, channels). The output is delayed by `options.delay` samples at most.
        """
        self.sound = np.concatenate([self.sound, block])
        self.pending = np.concatenate([self.pending, block])
        self._transform()
        layer = self._added(len(self.spectra) - self.options.median // 2)
        dropped = min(self.early, len(layer))
        self.early -= dropped
        layer = layer[dropped:]
        whole, self.pending = self.pending[: len(layer)], self.pending[len(layer) :]
        return layer, whole

    def _transform(self) -> None:
        fft, hop = self.options.fft, self.options.hop
        if len(self.sound) < fft:
            return
        windows = np.lib.stride_tricks.sliding_window_view(self.sound, fft, axis=0)[::hop]
        spectra = scipy.fft.rfft(windows * self.window, axis=2)
        self.sound = self.sound[len(spectra) * hop :].copy()
        self.spectra = np.concatenate([self.spectra, spectra])
        # The mean of the channels gives one mask for all of them, which keeps the stereo image.
        self.magnitudes = np.concatenate([self.magnitudes, np.abs(spectra).mean(axis=1)])

    def _added(self, frames: int) -> np.ndarray:
        """Returns the samples of the layer that are final after the next `frames` frames."""
        fft, hop, half = self.options.fft, self.options.hop, self.options.median // 2
        if frames <= 0:
            return np.zeros((0, self.sums.shape[1]), np.float32)
        around = self.magnitudes[: frames + 2 * half]
        layer = scipy.fft.irfft(self.spectra[:frames] * self._mask(around)[:, None], fft, axis=2)
        layer *= self.window * np.float32(hop / np.sum(self.window**2))
        sums = np.concatenate([self.sums, np.zeros((frames * hop, self.sums.shape[1]), np.float32)])
        for i, frame in enumerate(layer):
            sums[i * hop : i * hop + fft] += frame.T
        self.spectra, self.magnitudes = self.spectra[frames:], self.magnitudes[frames:]
        self.sums = sums[frames * hop :].copy()
        return sums[: frames * hop]

    def _mask(self, around: np.ndarray) -> np.ndarray:
        """Returns the gain of each bin (frames, bins).

        around: magnitudes of the frames, with half a median of frames on either side.
        """
        half = self.options.median // 2
        inner = around[half : len(around) - half]
        rings = medians(around.T, self.options.median)[:, half : len(around) - half].T ** 2
        wide = np.pad(inner, ((0, 0), (half, half)), "symmetric")
        strikes = medians(wide, self.options.median)[:, half : half + inner.shape[1]] ** 2
        share = (strikes if self.strikes else rings) / (rings + strikes + np.float32(1e-12))
        gain: np.ndarray = share**self.options.power
        return gain


def medians(rows: np.ndarray, length: int) -> np.ndarray:
    """Returns running medians along each row, exact except within half a length of its ends.

    Rows are filtered as one array, since SciPy is several times as fast along one axis. So values near the ends see the
    neighbouring row.
    """
    found: np.ndarray = scipy.ndimage.median_filter(np.ravel(rows), length)
    return found.reshape(rows.shape)
