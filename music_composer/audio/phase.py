"""Magnitudes to waveforms. Phase is found after generation, outside the feedback loop.

Fast Griffin-Lim (Perraudin, Balazs and Sondergaard 2013), started from a single pass in which every spectral peak
advances at its own frequency (Beauregard, Harish and Wyse 2015) and the bins around it follow by their phase gradient
(Prusa, Balazs and Sondergaard 2017). Sound whose phase is known (the prompt, or the chunk before) can be held fixed at
the beginning, so that pieces join without a seam.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import analysis_window, bands_to_magnitudes, spectrum, to_left_right
from music_composer.values import Frames, Waveform

MOMENTUM = 0.99  # of fast Griffin-Lim; 0 is the algorithm of 1984
HANN_GAMMA = 0.25645  # of the squared window: spread of the Gaussian nearest to a Hann window


def frames_to_waveform(frames: Frames, options: FrameOptions, iterations: int, rng: np.random.Generator) -> Waveform:
    """Inverts `spectrogram.waveform_to_frames`, except for phase. Returns (frames - 1) * hop samples."""
    magnitudes = bands_to_magnitudes(frames.bands.transpose(1, 0, 2), options)
    samples = samples_of(magnitudes, options, iterations, rng)
    half = options.window // 2
    return Waveform(to_left_right(samples[:, half : samples.shape[1] - half]), options.rate)


def samples_of(
    magnitudes: np.ndarray,
    options: FrameOptions,
    iterations: int,
    rng: np.random.Generator,
    prefix: np.ndarray | None = None,
    suffix: np.ndarray | None = None,
) -> np.ndarray:
    """Finds samples whose spectrum has the given magnitudes.

    magnitudes: float32 (channels, frames, bins).
    prefix: float32 (channels, samples), or None: the samples with which the sound begins. They hold the phase of what
    follows. The result runs close to them but need not equal them.
    suffix: the same for the samples with which the sound ends.
    Returns float32 (channels, (frames - 1) * hop + window).
    """
    phases = propagated_phases(magnitudes, options, rng, prefix)
    return refined_samples(magnitudes, phases, options, iterations, prefix, suffix)


def refined_samples(
    magnitudes: np.ndarray,
    phases: np.ndarray,
    options: FrameOptions,
    iterations: int,
    prefix: np.ndarray | None = None,
    suffix: np.ndarray | None = None,
) -> np.ndarray:
    """Finds samples as `samples_of` does, from a first guess of the phases (channels, frames, bins), radians."""
    fixed = 0 if prefix is None else prefix.shape[1]
    estimate = _polar(magnitudes, phases)
    before = estimate
    for _ in range(iterations):
        samples = overlap_add(estimate, options)
        if prefix is not None:
            samples[:, :fixed] = prefix
        if suffix is not None:
            samples[:, samples.shape[1] - suffix.shape[1] :] = suffix
        projected = _resized(spectrum(samples, options), magnitudes)
        estimate = projected + np.float32(MOMENTUM) * (projected - before)
        before = projected
    return overlap_add(before, options)


def _polar(magnitudes: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """magnitudes * exp(i phases) in complex64. NumPy's own exponential would need complex128."""
    spectra = np.empty(magnitudes.shape, np.complex64)
    np.multiply(magnitudes, np.cos(phases), out=spectra.real)
    np.multiply(magnitudes, np.sin(phases), out=spectra.imag)
    return spectra


def _resized(spectra: np.ndarray, magnitudes: np.ndarray) -> np.ndarray:
    """Gives the spectra new magnitudes. Real arithmetic is twice as fast as complex quotients."""
    sizes = np.sqrt(np.square(spectra.real) + np.square(spectra.imag))
    return spectra * (magnitudes / np.maximum(sizes, 1e-9))


def overlap_add(spectra: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Inverts `spectrogram.spectrum` by least squares: (..., frames, bins) -> (..., (frames - 1) * hop + window).

    After Griffin and Lim 1984. The first and the last window of samples rest on fewer frames than the others.
    """
    hop, overlap = options.hop, options.window // options.hop
    window = analysis_window(options)
    pieces = scipy.fft.irfft(spectra, n=options.window, axis=-1) * window
    *lead, frames, _ = pieces.shape
    pieces = pieces.reshape(*lead, frames, overlap, hop)
    total = np.zeros((*lead, frames + overlap - 1, hop), np.float32)
    weight = np.zeros((frames + overlap - 1, hop), np.float32)
    squares = (window * window).reshape(overlap, hop)
    for i in range(overlap):
        total[..., i : i + frames, :] += pieces[..., i, :]
        weight[i : i + frames] += squares[i]
    total /= np.maximum(weight, 1e-3)
    return total.reshape(*lead, -1)


def propagated_phases(
    magnitudes: np.ndarray, options: FrameOptions, rng: np.random.Generator, prefix: np.ndarray | None
) -> np.ndarray:
    """Returns a first guess of the phases (channels, frames, bins), radians, in one pass over the frames.

    The frequency of each peak is interpolated from its neighbours. Its phase advances by that frequency, and the bins
    around it follow it as `_slopes` says. Frames within `prefix` take their phase from there.
    """
    channels, frames, bins = magnitudes.shape
    phases = np.empty(magnitudes.shape, np.float32)
    # Equal phases of all partials would make the first frames sound like a click.
    phase = rng.uniform(0, 2 * np.pi, (channels, bins)).astype(np.float32)
    first = 0
    if prefix is not None and prefix.shape[1] >= options.window:
        angles = np.angle(spectrum(prefix, options))
        first = min(angles.shape[1], frames)
        phases[:, :first] = angles[:, :first]
        phase = phases[:, first - 1]
    offsets, nearest = _peaks(magnitudes[:, first:])
    turn = np.float32(2 * np.pi * options.hop / options.window)
    course = np.cumsum(_slopes(magnitudes, options)[:, first:], axis=-1)
    for i in range(frames - first):
        peak = nearest[:, i]
        advanced = phase + turn * (np.arange(bins) + offsets[:, i])
        from_peak = course[:, i] - np.take_along_axis(course[:, i], peak, axis=1)
        phase = (np.take_along_axis(advanced, peak, axis=1) + from_peak) % np.float32(2 * np.pi)
        phases[:, first + i] = phase
    return phases


def _slopes(magnitudes: np.ndarray, options: FrameOptions) -> np.ndarray:
    """Returns how far the phase of each bin is ahead of the bin below, radians (channels, frames, bins).

    It is half a turn for sound that is even around the middle of the window, and more for sound that comes later in it.
    The growth of the magnitude tells how much later (Prusa, Balazs and Sondergaard 2017). So onsets stay sharp.
    """
    level = np.log(np.maximum(magnitudes, 1e-6 * magnitudes.max() + 1e-12))
    around = np.pad(level, [(0, 0), (1, 1), (0, 0)], mode="edge")
    growth = (around[:, 2:] - around[:, :-2]) / 2
    slopes = np.float32(np.pi) - np.float32(HANN_GAMMA * options.window / options.hop) * growth
    slopes[..., 1:] = (slopes[..., 1:] + slopes[..., :-1]) / 2
    return slopes


def _peaks(magnitudes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the offset of a peak at each bin, in bins, and the bin of the nearest peak, both (..., bins)."""
    bins = magnitudes.shape[-1]
    padded = np.pad(magnitudes, [(0, 0)] * (magnitudes.ndim - 1) + [(1, 1)])
    left, middle, right = padded[..., :-2], padded[..., 1:-1], padded[..., 2:]
    # The peak of the parabola through three neighbouring magnitudes.
    curve = left - 2 * middle + right
    offsets = np.where(curve < -1e-12, 0.5 * (left - right) / np.minimum(curve, -1e-12), 0)
    is_peak = (middle > left) & (middle >= right)
    index = np.arange(bins)
    below = np.maximum.accumulate(np.where(is_peak, index, -bins), axis=-1)
    above = np.minimum.accumulate(np.where(is_peak, index, 2 * bins)[..., ::-1], axis=-1)[..., ::-1]
    nearest = np.where(index - below <= above - index, below, above)
    return np.clip(offsets, -0.5, 0.5).astype(np.float32), np.where((nearest < 0) | (nearest >= bins), index, nearest)


class PhaseStream:
    """Turns pieces of frames into pieces of samples that join without a seam, in constant memory.

    It begins from real sound. prefix: float32 (channels: mid, side; frames * hop), the samples before the window of the
    next frame. bands: (frames, channels, bands), the frames whose windows start within it.
    """

    def __init__(
        self,
        prefix: np.ndarray,
        bands: np.ndarray,
        options: FrameOptions,
        crossfade_seconds: float,
        iterations: int,
        rng: np.random.Generator,
    ) -> None:
        self._known, self._bands, self._options = prefix, bands, options
        self._iterations, self._rng = iterations, rng
        self._crossfade = min(round(crossfade_seconds * options.rate), prefix.shape[1])
        self._context = len(bands)

    def push(self, bands: np.ndarray) -> np.ndarray:
        """Frames (frames, channels, bands) -> samples (channels, frames * hop).

        The result lags by the crossfade: its first samples lead from the prefix into the new sound, and the last
        samples of this piece come with the next piece or with `rest`.
        """
        options, length = self._options, self._known.shape[1]
        bands = np.concatenate([self._bands, bands])
        magnitudes = bands_to_magnitudes(bands.transpose(1, 0, 2), options)
        samples = samples_of(magnitudes, options, self._iterations, self._rng, self._known)
        ramp = np.linspace(0, 1, self._crossfade, dtype=np.float32)
        start = length - self._crossfade
        samples[:, start:length] = (1 - ramp) * self._known[:, start:] + ramp * samples[:, start:length]
        complete = len(bands) * options.hop
        self._bands = bands[-self._context :]
        self._known = samples[:, complete - self._context * options.hop : complete]
        return samples[:, start : complete - self._crossfade]

    def rest(self) -> np.ndarray:
        """Returns the samples that were held back for a crossfade: (channels, crossfade)."""
        return self._known[:, self._known.shape[1] - self._crossfade :]
