"""Measures loudness, and normalizes sound to it without clipping (ITU-R BS.1770-4, 2015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.signal import sosfilt

from music_composer.synth.tones import Sound

TARGET = -16.0  # LUFS
CEILING = 10 ** (-1 / 20)  # highest sample value
KNEE = 0.6  # soft clipping begins here
BLOCK_SECONDS, OVERLAP = 0.4, 4
SILENCE, BELOW_MEAN = -70.0, -10.0  # LUFS and LU: the absolute and the relative gate
STEPS = 12  # at most, in the search for the gain
TOLERANCE = 0.1  # LU
MAX_PEAK = 100.0  # no gain raises peaks beyond this: a single click stays quieter than music


class Meter:
    """Measures the integrated loudness of sound in blocks, (channels, samples) each."""

    def __init__(self, rate: int) -> None:
        self._weighting = _weighting(rate)
        self._state: Sound | None = None  # of the filters; None before the first block
        self._hop = round(BLOCK_SECONDS * rate / OVERLAP)
        self._sums: list[Sound] = []  # power of each hop
        self._rest = np.zeros(0)  # power of an incomplete hop

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
        """The loudness in LUFS; minus infinity for silence. Sound shorter than a gating block counts as one."""
        sums = np.concatenate([*self._sums, _sums(self._rest, self._hop)])
        if not len(sums):
            return -np.inf
        count = max(1, len(sums) - OVERLAP + 1)
        blocks = np.convolve(sums, np.ones(OVERLAP))[OVERLAP - 1 :][:count] / (OVERLAP * self._hop)
        kept = blocks[_lufs(blocks) > SILENCE]
        if not len(kept):
            return -np.inf
        # The relative gate, 10 LU below the mean of what passed the absolute one.
        kept = kept[_lufs(kept) > _lufs(kept.mean()) + BELOW_MEAN]
        return float(_lufs(kept.mean()))


def loudness(sound: Sound, rate: int) -> float:
    """Integrated loudness of (channels, samples) in LUFS; minus infinity for silence."""
    meter = Meter(rate)
    meter.add(sound)
    return meter.lufs()


def levelled(sound: Sound, rate: int, target: float = TARGET) -> Sound:
    """The sound at the target loudness in LUFS, with soft-clipped peaks below full scale. Silence stays silence."""
    return amplified(sound, gain_to(lambda: [sound], rate, target))


def gain_to(blocks: Callable[[], Iterable[Sound]], rate: int, target: float = TARGET) -> float | None:
    """The gain in dB at which soft-clipped sound has the target loudness; None for silence.

    blocks: returns the blocks (channels, samples) of the sound from its beginning, at each call.
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
        # Soft clipping lowers the loudness, so the gain is searched for.
        missing = target - meter.lufs()
        gain += missing
        if abs(missing) < TOLERANCE or peak * 10 ** (gain / 20) > MAX_PEAK:
            break
    return used


def amplified(sound: Sound, gain: float | None) -> Sound:
    """The sound with a gain in dB and soft clipping: unchanged below the knee, compressed more and more above it."""
    if gain is None:
        return sound
    sound = sound * 10 ** (gain / 20)
    size, room = np.abs(sound), CEILING - KNEE
    over = np.nonzero(size > KNEE)
    sound[over] = np.sign(sound[over]) * (KNEE + room * np.tanh((size[over] - KNEE) / room))
    return sound


def _weighting(rate: int) -> Sound:
    """The K weighting as second-order sections: a high shelf for the head, and a high pass.

    The standard gives coefficients for 48 kHz only; these follow from the bilinear transform of the analogue filters,
    as in libebur128.
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
