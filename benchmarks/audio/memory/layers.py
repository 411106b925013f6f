"""Music in two layers: what rings and what strikes, by median filters along both axes of the spectrogram.

After Fitzgerald 2010 ("Harmonic/percussive separation using median filtering", DAFx). What rings of one walk and what
strikes of another give music that neither the prompt nor the training music holds.
"""

import numpy as np
import scipy.ndimage
import scipy.signal

FFT, HOP, LENGTH = 2048, 512, 17  # samples, samples, frames or bins of a median


def separated(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples (n, 2) -> what rings and what strikes, which add up to them."""
    pad = np.pad(samples, ((0, FFT), (0, 0)))
    spectra = scipy.signal.stft(pad.T, nperseg=FFT, noverlap=FFT - HOP)[2]
    magnitude = np.abs(spectra).mean(axis=0).astype(np.float32)
    rings = _median(magnitude) ** 2
    strikes = _median(np.ascontiguousarray(magnitude.T)).T ** 2
    mask = rings / (rings + strikes + 1e-12)
    ringing = scipy.signal.istft(spectra * mask, nperseg=FFT, noverlap=FFT - HOP)[1].T[: len(samples)]
    return ringing.astype(np.float32), (samples - ringing).astype(np.float32)


def _median(rows: np.ndarray) -> np.ndarray:
    """Along each row: SciPy is four times as fast row by row as over all of them."""
    return np.stack([scipy.ndimage.median_filter(row, LENGTH) for row in rows])


def layered(ringing_from: np.ndarray, striking_from: np.ndarray) -> np.ndarray:
    length = min(len(ringing_from), len(striking_from))
    return separated(ringing_from[:length])[0] + separated(striking_from[:length])[1]
