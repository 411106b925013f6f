"""Levels of semitones: a spectrum in which transposition is a shift of rows.

Rows are evenly spaced in pitch as in Brown 1991 ("Calculation of a constant Q spectral transform", JASA 89, 425-434),
but pooled from one FFT, so that all have the same resolution in time. Below about 90 Hz an FFT bin of the default
length is wider than a semitone, so neighbouring rows read much the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from music_composer.audio.reading.recording import mono_blocks, to_mono
from music_composer.errors import OptionError
from music_composer.evaluation.audio.signal.spectra import Array, scaled_hann

FRAMES_AT_ONCE = 256


@dataclass(frozen=True)
class SemitoneOptions:
    """Parameters of the spectrum. Levels in dB re a full-scale sine."""

    rate: int = 44100  # Hz; recordings at other rates are resampled
    fft: int = 8192  # samples: 0.19 s, 5.4 Hz to the bin
    hop: int = 4096  # samples: 10.8 frames a second
    rows: int = 84  # semitones: seven octaves
    lowest: float = 55.0  # Hz, the lowest row's centre: A1; the highest is G#8, 6.6 kHz
    floor_db: float = -80.0  # quieter rows read this: inaudible dither must not count

    def __post_init__(self) -> None:
        if min(self.rate, self.hop, self.rows) < 1 or self.fft < self.hop:
            raise OptionError(f"{self}: every count must be at least 1, and fft at least hop.")
        if not self.rate / self.fft <= self.lowest < self.rate / 2 / 2 ** (self.rows / 12):
            raise OptionError(f"{self}: rows must lie between rate / fft and rate / 2: take fewer, or another lowest.")

    @property
    def frames_per_second(self) -> float:
        return self.rate / self.hop


@lru_cache(maxsize=8)
def semitone_bank(options: SemitoneOptions) -> NDArray[np.float32]:
    """Returns triangles of peak 1 between neighbouring semitones, at least one bin wide to each side.

    Shape: (rows, fft // 2 + 1).
    """
    frequencies = np.arange(options.fft // 2 + 1) * options.rate / options.fft
    centres = options.lowest * 2.0 ** (np.arange(options.rows)[:, None] / 12.0)
    below = np.maximum(centres * (1.0 - 2.0 ** (-1 / 12)), options.rate / options.fft)
    above = np.maximum(centres * (2.0 ** (1 / 12) - 1.0), options.rate / options.fft)
    rising, falling = (frequencies - centres + below) / below, (centres + above - frequencies) / above
    return np.minimum(rising, falling).clip(0.0).astype(np.float32)


def semitone_levels(samples: Array, options: SemitoneOptions) -> NDArray[np.float32]:
    """Returns the levels of samples (n,) or (n, channels), full scale 1, at options.rate; channels are averaged.

    Shape: (frames, rows) in dB; a full-scale sine reads -1 to 2 in its row. Frames are not padded: there are (n - fft)
    // hop + 1 of them, none when n < fft. Frames with a sample that is not a number are NaN.
    """
    if len(samples) < options.fft:
        return np.empty((0, options.rows), np.float32)
    mono = np.asarray(to_mono(samples), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, options.fft)[:: options.hop]
    window, bank = scaled_hann(options.fft), semitone_bank(options).T
    chunks = (frames[at : at + FRAMES_AT_ONCE] for at in range(0, len(frames), FRAMES_AT_ONCE))
    power = np.concatenate([np.abs(scipy.fft.rfft(chunk * window, axis=1)) ** 2 @ bank for chunk in chunks])
    levels: NDArray[np.float32] = 10.0 * np.log10(np.maximum(power, 10.0 ** (options.floor_db / 10.0)))
    return levels


def semitones_of_blocks(blocks: Iterable[Array], options: SemitoneOptions) -> NDArray[np.float32]:
    """Returns the same for a stream of blocks, whose bounds make no difference: 3.6 kB for each second."""
    parts, pending = [np.empty((0, options.rows), np.float32)], np.empty(0, np.float32)
    for block in blocks:
        pending = np.concatenate([pending, np.asarray(to_mono(block), np.float32)])
        parts.append(semitone_levels(pending, options))
        # The samples that later frames still need.
        pending = pending[len(parts[-1]) * options.hop :]
    return np.concatenate(parts)


def semitones_of_file(
    path: str | PathLike[str], options: SemitoneOptions, start: float = 0.0, stop: float = float("inf")
) -> NDArray[np.float32]:
    """Returns the same for a recording, from second `start` to second `stop`. Raises RecordingError if unreadable."""
    return semitones_of_blocks(mono_blocks(Path(path), options.rate, start, stop), options)


def chroma(levels: Array, options: SemitoneOptions) -> NDArray[np.float64]:
    """Returns the mean power of each pitch class, C first, over frames of `semitone_levels`: (12,), summing to 1.

    After Fujishima 1999 (ICMC: pitch class profiles). All zero where every level is at the floor. Give rows of whole
    octaves, so that all pitch classes have the same number of rows.
    """
    loud = levels > options.floor_db
    power = np.where(loud, 10.0 ** (np.asarray(levels, np.float64) / 10.0), 0.0).mean(axis=0)
    first = round(69 + 12 * np.log2(options.lowest / 440.0))
    classes = np.bincount((first + np.arange(options.rows)) % 12, power, minlength=12)
    return classes / (classes.sum() or 1.0)
