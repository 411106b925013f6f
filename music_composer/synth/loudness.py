"""How loud sound is heard, and sound brought to a loudness without clipping (ITU-R BS.1770-4, 2015)."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from music_composer.synth.tones import Sound

TARGET = -16.0  # LUFS
CEILING = 10 ** (-1 / 20)  # no sample is louder
KNEE = 0.6  # what is louder is rounded off
BLOCK_SECONDS, OVERLAP = 0.4, 4
SILENCE, BELOW_MEAN = -70.0, -10.0  # LUFS, LU: blocks under these do not count
STEPS = 12  # of the search for the gain


def loudness(sound: Sound, rate: int) -> float:
    """Integrated loudness of (samples, channels), LUFS; minus infinity of silence. What is too short for a block is
    taken as one.
    """
    heard = _weighted(sound, rate) ** 2
    hop = round(BLOCK_SECONDS * rate / OVERLAP)
    sums = np.add.reduceat(heard.sum(axis=1), np.arange(0, len(heard), hop)) if len(heard) else np.zeros(0)
    if not len(sums):
        return -np.inf
    count = max(1, len(sums) - OVERLAP + 1)
    power = np.convolve(sums, np.ones(OVERLAP))[OVERLAP - 1 :][:count] / (OVERLAP * hop)
    kept = power[_lufs(power) > SILENCE]
    if not len(kept):
        return -np.inf
    kept = kept[_lufs(kept) > _lufs(kept.mean()) + BELOW_MEAN]
    return float(_lufs(kept.mean()))


def levelled(sound: Sound, rate: int, target: float = TARGET) -> Sound:
    """The sound at the target loudness; peaks are rounded off, none reaches full scale. Silence stays silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak or not np.isfinite(loudness(sound, rate)):
        return sound
    gain = 0.0
    for _ in range(STEPS):
        missing = target - loudness(_rounded(sound * 10 ** (gain / 20)), rate)
        gain += missing
        if abs(missing) < 0.02 or gain > 60 - 20 * np.log10(peak):  # noise is not made music
            break
    return _rounded(sound * 10 ** (gain / 20))


def _rounded(sound: Sound) -> Sound:
    """Unchanged below the knee; above it, ever less."""
    over = np.maximum(np.abs(sound) - KNEE, 0)
    if not over.any():
        return sound
    room = CEILING - KNEE
    return np.asarray(np.sign(sound) * (np.minimum(np.abs(sound), KNEE) + room * np.tanh(over / room)))


def _weighted(sound: Sound, rate: int) -> Sound:
    """The K weighting: a shelf for the head, and a high pass; coefficients by the bilinear transform of its analogue
    form (as in libebur128), since the standard's own are for 48 kHz.
    """
    for frequency, q, gain_db, shelf in ((1681.974450955533, 0.7071752369554196, 3.999843853973347, True),
                                         (38.13547087602444, 0.5003270373238773, 0.0, False)):  # fmt: skip
        k = np.tan(np.pi * frequency / rate)
        divisor = 1 + k / q + k * k
        a = [1, 2 * (k * k - 1) / divisor, (1 - k / q + k * k) / divisor]
        if shelf:
            high = 10 ** (gain_db / 20)
            middle = high**0.4996667741545416
            b = [(high + middle * k / q + k * k) / divisor, 2 * (k * k - high) / divisor,
                 (high - middle * k / q + k * k) / divisor]  # fmt: skip
        else:
            b = [1.0, -2.0, 1.0]
        sound = lfilter(b, a, sound, axis=0)
    return sound


def _lufs(power: Sound) -> Sound:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-20)))
