"""The scale of the numbers in a file: some count full scale as 32768, some are very quiet, some contain clicks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

BEYOND = 4.0  # times full scale; no recording is meant to be this loud
STRAY_SHARE = 0.01  # share of the samples that may lie beyond it by mistake
CLIPPED_SHARE = 0.001  # share of the samples that may lie beyond the full scale that is found
HEADROOM_BITS = 7  # powers of two beyond full scale that still count as a loud mix
INTEGER_BITS = (15, 23, 31)  # full scale of 16, 24 and 32-bit integers, as powers of two
QUIET = 2.0**-8  # -48 dBFS: a recording whose loudest sample is below is amplified
MIN_STEPS = 4  # quantization steps; a recording whose loudest sample is below is silence with dither
FINEST_BITS = 24


@dataclasses.dataclass(frozen=True)
class Scale:
    """The factor for every sample, a power of two so that nothing is rounded, and the remarks on it."""

    gain: float = 1.0
    remarks: tuple[str, ...] = ()


def scale_of(blocks: Iterable[np.ndarray], is_float: bool, bits: int) -> Scale:
    """Finds the scale of a file from its blocks. Of integers, it reads only until a sample is not quiet.

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
    if MIN_STEPS * 2.0 ** (1 - min(bits, FINEST_BITS)) <= peak < QUIET:
        gain = 2.0 ** (-1 - math.frexp(peak)[1])
        return Scale(gain, (f"its loudest sample is at {_decibels(peak)} dBFS: brought up by {_decibels(gain)} dB",))
    return Scale()


def cleaned(block: np.ndarray, gain: float, remarks: list[str]) -> np.ndarray:
    """Returns a block at the right scale, with silence for samples that are not numbers.

    One NaN would spread through every sum that contains it.
    """
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
    """Finds the scale of a file that exceeds full scale. beyond: number of samples for each power of two."""
    louder = beyond[::-1].cumsum()[::-1]  # samples with at least this power of two
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
