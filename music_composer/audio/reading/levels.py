"""How loud the numbers in a file are meant: some count full scale as 32768, some are very quiet, some have clicks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

BEYOND = 4.0  # times full scale: no recording is meant to be so loud
STRAY_SHARE = 0.01  # of the samples, that may lie beyond it by mistake
CLIPPED_SHARE = 0.001  # of the samples, that may lie beyond the full scale that is found
HEADROOM_BITS = 7  # powers of two beyond full scale that are a loud mix, and not another scale
INTEGER_BITS = (15, 23, 31)  # full scale of 16, 24 and 32-bit integers, as powers of two
QUIET = 2.0**-8  # -48 dBFS: a recording whose loudest sample is below is brought up
LEAST_STEPS = 4  # of a sample's width: a recording whose loudest sample is below is silence and its dither
FINEST_BITS = 24


@dataclasses.dataclass(frozen=True)
class Scale:
    """What every sample is multiplied by, a power of two, so that nothing is rounded; and what is said of it."""

    gain: float = 1.0
    remarks: tuple[str, ...] = ()


def scale_of(blocks: Iterable[np.ndarray], is_float: bool, bits: int) -> Scale:
    """The scale of a file's blocks; of integers, only as many are read as it takes to find one that is not quiet.

    bits: of a sample.
    """
    peak, sounding, beyond = 0.0, 0, np.zeros(130, np.int64)  # beyond: samples by their power of two
    for block in blocks:
        magnitude = np.abs(block[np.isfinite(block)])
        top = float(magnitude.max(initial=0.0))
        peak = max(peak, top)
        if not is_float and peak >= QUIET:
            return Scale()
        sounding += int(np.count_nonzero(magnitude))
        if top > BEYOND:
            beyond += np.bincount(np.frexp(magnitude[magnitude > BEYOND])[1], minlength=len(beyond))
    if beyond.sum() > STRAY_SHARE * sounding:
        return _scale_of_loud(beyond, sounding)
    if LEAST_STEPS * 2.0 ** (1 - min(bits, FINEST_BITS)) <= peak < QUIET:
        gain = 2.0 ** (-1 - math.frexp(peak)[1])
        return Scale(gain, (f"its loudest sample is at {_decibels(peak)} dBFS: brought up by {_decibels(gain)} dB",))
    return Scale()


def cleaned(block: np.ndarray, gain: float, remarks: list[str]) -> np.ndarray:
    """At the right scale, with silence for what is no number, which would spread through every sum that touches it."""
    finite = np.isfinite(block)
    if not finite.all():
        _say_once(remarks, "holds samples that are not numbers (NaN or Inf): taken as silence")
        block = np.where(finite, block, np.float32(0))
    if gain != 1.0:
        block = block * np.float32(gain)
    if len(block) and max(block.max(), -block.min()) > BEYOND:
        _say_once(remarks, f"holds samples of more than {BEYOND:g} times full scale: limited to that")
        block = np.clip(block, -BEYOND, BEYOND)
    return block


def _scale_of_loud(beyond: np.ndarray, sounding: int) -> Scale:
    """beyond: how many samples there are of each power of two."""
    louder = beyond[::-1].cumsum()[::-1]  # samples of at least that power
    bits = int(np.flatnonzero(louder > CLIPPED_SHARE * sounding)[-1])
    if bits <= HEADROOM_BITS:
        return Scale(2.0**-bits, (f"its samples reach far beyond full scale: brought down by {6.02 * bits:.0f} dB",))
    bits = next((each for each in INTEGER_BITS if bits <= each), bits)
    return Scale(2.0**-bits, (f"its samples are written as integers of {bits + 1} bits: divided by {2**bits}",))


def _say_once(remarks: list[str], line: str) -> None:
    if line not in remarks:
        remarks.append(line)


def _decibels(level: float) -> str:
    return f"{20 * math.log10(level):.0f}"
