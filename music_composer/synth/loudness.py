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
NEAR = 0.1  # LU
LOUDEST = 100.0  # peaks are not rounded off from beyond this: a single click is not made as loud as music


def loudness(sound: Sound, rate: int) -> float:
    """Integrated loudness of (channels, samples), LUFS; minus infinity of silence. What is too short for a block is
    taken as one.
    """
    heard = _weighted(sound, rate) ** 2
    hop = round(BLOCK_SECONDS * rate / OVERLAP)
    power = heard.sum(axis=0)
    if not len(power):
        return -np.inf
    sums = np.add.reduceat(power, np.arange(0, len(power), hop))
    count = max(1, len(sums) - OVERLAP + 1)
    blocks = np.convolve(sums, np.ones(OVERLAP))[OVERLAP - 1 :][:count] / (OVERLAP * hop)
    kept = blocks[_lufs(blocks) > SILENCE]
    if not len(kept):
        return -np.inf
    kept = kept[_lufs(kept) > _lufs(kept.mean()) + BELOW_MEAN]
    return float(_lufs(kept.mean()))


def levelled(sound: Sound, rate: int, target: float = TARGET) -> Sound:
    """The sound at the target loudness; peaks are rounded off, none reaches full scale. Silence stays silence."""
    peak, now = float(np.abs(sound).max(initial=0.0)), loudness(sound, rate)
    if not np.isfinite(now):
        return sound
    gain = target - now
    for _ in range(STEPS):
        made = _rounded(sound * 10 ** (gain / 20))
        if peak * 10 ** (gain / 20) <= KNEE:
            break
        missing = target - loudness(made, rate)
        gain += missing
        if abs(missing) < NEAR or peak * 10 ** (gain / 20) > LOUDEST:
            break
    return made


def _rounded(sound: Sound) -> Sound:
    """Unchanged below the knee; above it, ever less. Changes what it is given."""
    size, room = np.abs(sound), CEILING - KNEE
    over = np.nonzero(size > KNEE)
    sound[over] = np.sign(sound[over]) * (KNEE + room * np.tanh((size[over] - KNEE) / room))
    return sound


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
        sound = lfilter(b, a, sound)
    return sound


def _lufs(power: Sound) -> Sound:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-20)))
