"""Training music brought nearer to the prompt's sound: its slow mean spectrum is moved towards the prompt's."""

from dataclasses import replace

import numpy as np
import scipy.ndimage

from memory.cuts import RATE
from memory.steps import PER_SECOND, Steps
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, mel_bank

AROUND, MOST_DB = round(8 * PER_SECOND), 9.0  # steps that the mean is taken over; no band moves by more


def gains_of(part: Steps, prompt: Steps, strength: float) -> np.ndarray:
    """dB for each step and band, (steps, bands), smooth along both."""
    target = prompt.mel[-round(20 * PER_SECOND) :].mean(axis=0)
    sums = np.concatenate([np.zeros((1, part.mel.shape[1])), np.cumsum(part.mel, axis=0, dtype=np.float64)])
    middle = np.arange(len(part))
    low, high = np.maximum(0, middle - AROUND), np.minimum(len(part), middle + AROUND)
    means = (sums[high] - sums[low]) / (high - low)[:, None]
    kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
    wanted = scipy.ndimage.convolve1d(target - means, kernel, axis=1, mode="nearest")
    return (strength * wanted.clip(-MOST_DB, MOST_DB)).astype(np.float32)


def coloured(part: Steps, gains: np.ndarray) -> Steps:
    return replace(part, mel=part.mel + gains)


def filtered(piece: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Samples (n, 2) after a filter without delay, of gains (bands,) in dB."""
    bank = mel_bank(DistanceOptions())
    centres = (bank @ np.arange(bank.shape[1])) / bank.sum(axis=1) / (bank.shape[1] - 1) * RATE / 2
    size = 1 << (len(piece) + 4096).bit_length()
    curve = 10.0 ** (np.interp(np.fft.rfftfreq(size, 1 / RATE), centres, gains) / 20.0)
    spectrum = np.fft.rfft(piece, size, axis=0) * curve[:, None]
    return np.fft.irfft(spectrum, size, axis=0)[: len(piece)].astype(np.float32)
