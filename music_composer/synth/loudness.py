"""How loud sound is heard, and sound brought to a loudness without clipping (ITU-R BS.1770-4, 2015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.signal import sosfilt

from music_composer.synth.tones import Sound

TARGET = -16.0  # LUFS
CEILING = 10 ** (-1 / 20)  # no sample is louder
KNEE = 0.6  # what is louder is rounded off
BLOCK_SECONDS, OVERLAP = 0.4, 4
SILENCE, BELOW_MEAN = -70.0, -10.0  # LUFS, LU: blocks under these do not count
STEPS = 12  # of the search for the gain
NEAR = 0.1  # LU
LOUDEST = 100.0  # peaks are not rounded off from beyond this: a single click is not made as loud as music


class Meter:
    """Integrated loudness of sound that comes in blocks, (channels, samples) each."""

    def __init__(self, rate: int) -> None:
        self._weighting = _weighting(rate)
        self._state: Sound | None = None  # of its filters, once the number of channels is known
        self._hop = round(BLOCK_SECONDS * rate / OVERLAP)
        self._sums: list[Sound] = []  # of the power, hop by hop
        self._rest = np.zeros(0)  # power that fills no hop yet

    def add(self, sound: Sound) -> None:
        if not sound.shape[1]:
            return
        before = np.zeros((len(self._weighting), len(sound), 2)) if self._state is None else self._state
        sound, self._state = sosfilt(self._weighting, sound.astype(np.float64, copy=False), zi=before)
        power = np.concatenate([self._rest, (sound**2).sum(axis=0)])
        whole = len(power) // self._hop * self._hop
        self._sums.append(_sums(power[:whole], self._hop))
        self._rest = power[whole:]

    def lufs(self) -> float:
        """Minus infinity of silence. What is too short for a block is taken as one."""
        sums = np.concatenate([*self._sums, _sums(self._rest, self._hop)])
        if not len(sums):
            return -np.inf
        count = max(1, len(sums) - OVERLAP + 1)
        blocks = np.convolve(sums, np.ones(OVERLAP))[OVERLAP - 1 :][:count] / (OVERLAP * self._hop)
        kept = blocks[_lufs(blocks) > SILENCE]
        if not len(kept):
            return -np.inf
        kept = kept[_lufs(kept) > _lufs(kept.mean()) + BELOW_MEAN]
        return float(_lufs(kept.mean()))


def loudness(sound: Sound, rate: int) -> float:
    """Integrated loudness of (channels, samples), LUFS; minus infinity of silence."""
    meter = Meter(rate)
    meter.add(sound)
    return meter.lufs()


def levelled(sound: Sound, rate: int, target: float = TARGET) -> Sound:
    """The sound at the target loudness; peaks are rounded off, none reaches full scale. Silence stays silence."""
    return amplified(sound, gain_to(lambda: [sound], rate, target))


def gain_to(blocks: Callable[[], Iterable[Sound]], rate: int, target: float = TARGET) -> float | None:
    """The gain in dB that brings sound to the target loudness with its peaks rounded off; None for silence.

    blocks: gives the blocks (channels, samples) of the sound from its beginning, each time it is called.
    """
    peak, meter = 0.0, Meter(rate)
    for block in blocks():
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        meter.add(block)
    now = meter.lufs()
    if not np.isfinite(now):
        return None
    used = gain = target - now
    for _ in range(STEPS):
        used = gain
        if peak * 10 ** (gain / 20) <= KNEE:
            break
        meter = Meter(rate)
        for block in blocks():
            meter.add(amplified(block, gain))
        missing = target - meter.lufs()
        gain += missing
        if abs(missing) < NEAR or peak * 10 ** (gain / 20) > LOUDEST:
            break
    return used


def amplified(sound: Sound, gain: float | None) -> Sound:
    """The sound with so many dB of gain and its peaks rounded off: unchanged below the knee; above it, ever less."""
    if gain is None:
        return sound
    sound = sound * 10 ** (gain / 20)
    size, room = np.abs(sound), CEILING - KNEE
    over = np.nonzero(size > KNEE)
    sound[over] = np.sign(sound[over]) * (KNEE + room * np.tanh((size[over] - KNEE) / room))
    return sound


def _weighting(rate: int) -> Sound:
    """The K weighting as second-order sections: a shelf for the head, and a high pass; coefficients by the bilinear
    transform of its analogue form (as in libebur128), since the standard's own are for 48 kHz.
    """
    sections = []
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
        sections.append([*b, *a])
    return np.array(sections)


def _sums(power: Sound, hop: int) -> Sound:
    return np.add.reduceat(power, np.arange(0, len(power), hop)) if len(power) else np.zeros(0)


def _lufs(power: Sound) -> Sound:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-20)))
