"""Sound as spectra: windows of a stream of samples, and the level of every semitone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse
from numpy.typing import NDArray

from music_composer.errors import MusicComposerError, OptionError

Array = NDArray[np.float32] | NDArray[np.float64]
WINDOWS_AT_ONCE = 64


@dataclass(frozen=True)
class SemitoneOptions:
    """Frames of one level per semitone; by default ten a second, over six octaves."""

    rate: int = 44100  # Hz
    fft: int = 8192  # samples: 186 ms, bins of 5.4 Hz; below F2 neighbouring semitones share bins
    hop: int = 4410  # samples
    lowest: int = 36  # MIDI note number: C2, 65 Hz
    highest: int = 107  # B7, 3951 Hz; whole octaves, so that no pitch class has more of them than another
    floor_db: float = -100.0  # re a full-scale sine

    def __post_init__(self) -> None:
        if self.rate < 1 or not 1 <= self.hop <= self.fft or not 0 <= self.lowest < self.highest:
            raise OptionError(f"{self}: needs 1 <= hop <= fft, a rate, and 0 <= lowest < highest.")

    @property
    def frames_per_second(self) -> float:
        return self.rate / self.hop


def windows_of_blocks(blocks: Iterable[Array], length: int, hop: int) -> Iterator[NDArray[np.float32]]:
    """All whole windows of a stream of mono blocks, (at most WINDOWS_AT_ONCE, length) at a time.

    They begin hop samples apart, at most their length; a last one that is not full is left out. Where the blocks are
    cut makes no difference. Raises MusicComposerError for samples that are not numbers.
    """
    pending = np.empty(0, np.float32)
    for block in blocks:
        if not np.isfinite(block).all():
            raise MusicComposerError("The music to be measured holds samples that are not numbers (NaN or infinite).")
        pending = np.concatenate([pending, np.asarray(block, np.float32)])
        if len(pending) >= length:
            windows = np.lib.stride_tricks.sliding_window_view(pending, length)[::hop]
            yield from (windows[at : at + WINDOWS_AT_ONCE] for at in range(0, len(windows), WINDOWS_AT_ONCE))
            pending = pending[len(windows) * hop :]


@lru_cache(maxsize=8)
def scaled_hann(length: int) -> NDArray[np.float32]:
    """Periodic Hann window (length,) whose rfft shows a full-scale sine with power 1."""
    window = scipy.signal.get_window("hann", length)
    return (window * 2.0 / window.sum()).astype(np.float32)


@lru_cache(maxsize=8)
def semitone_bank(options: SemitoneOptions) -> scipy.sparse.csr_array:
    """Triangular filters of peak 1 on the notes of A = 440 Hz, a semitone to either side: (semitones, fft // 2 + 1).

    Raises OptionError when a semitone holds no FFT bin or lies above half the rate.
    """
    frequencies = np.maximum(np.arange(options.fft // 2 + 1) * options.rate / options.fft, 1e-3)
    notes = np.arange(options.lowest, options.highest + 1)
    bank = (1.0 - np.abs(69.0 + 12.0 * np.log2(frequencies / 440.0) - notes[:, None])).clip(0.0)
    if not bank.any(axis=1).all():
        raise OptionError(f"{options}: some semitones hold no FFT bin: take a longer fft or fewer semitones.")
    return scipy.sparse.csr_array(bank.astype(np.float32))


def semitone_levels(blocks: Iterable[Array], options: SemitoneOptions) -> NDArray[np.float32]:
    """Level of every semitone in mono blocks: (frames, semitones) in dB; a full-scale sine on a note reads about 0.

    Frames are not padded: (n - fft) // hop + 1 of them. Memory grows with the result only.
    """
    window, bank = scaled_hann(options.fft), semitone_bank(options)
    parts = [np.empty((0, bank.shape[0]), np.float32)]
    for windows in windows_of_blocks(blocks, options.fft, options.hop):
        power = (bank @ (np.abs(scipy.fft.rfft(windows * window, axis=1)) ** 2).T).T
        parts.append(np.maximum(10.0 * np.log10(np.maximum(power, 1e-30)), np.float32(options.floor_db)))
    return np.concatenate(parts)


def chroma(levels: Array, options: SemitoneOptions) -> NDArray[np.float64]:
    """Mean power of each pitch class, C first, over the frames of `semitone_levels`: (12,), summing to 1.

    After Fujishima 1999 (ICMC: pitch class profiles). All zero where every level lies at the floor.
    """
    loud = levels > options.floor_db
    power = np.where(loud, 10.0 ** (np.asarray(levels, np.float64) / 10.0), 0.0).mean(axis=0)
    classes = np.bincount(np.arange(options.lowest, options.highest + 1) % 12, power, minlength=12)
    return classes / (classes.sum() or 1.0)
