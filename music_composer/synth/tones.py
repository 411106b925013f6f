"""Single notes as sound: decaying partials, and waves of a fixed spectrum, shaped by envelopes.

Frequencies are in Hz, times in seconds; sound is float with full scale at 1, one channel.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[Any]
BLOCK = 256
HIGHEST = 0.45  # of the rate: partials above would fold back below the Nyquist frequency
TABLE = 2048  # samples of one period of a wave
VIBRATO_HZ, VIBRATO_AFTER = 5.5, 0.4  # the second: seconds until it is full


@dataclass(frozen=True)
class Envelope:
    """Rises in `attack` seconds, falls towards `sustain` (0..1) with time constant `settle`, ends in `release`."""

    attack: float
    settle: float
    sustain: float
    release: float


@dataclass(frozen=True)
class Partials:
    """Partials at `ratios` of the pitch, with `gains`, each decaying by `decays` (1/s, at middle C).

    Soft notes lose their partials at ratio r by r ** -(tilt * (1 - velocity)).
    """

    ratios: tuple[float, ...]
    gains: tuple[float, ...]
    decays: tuple[float, ...]
    envelope: Envelope
    tilt: float


@dataclass(frozen=True)
class Wave:
    """A wave of a fixed spectrum. shape: `pulse`, high for `duty` of its period, `triangle` or `saw`.

    vibrato: semitones to either side, after a while. detune: semitones; of more than one, that many waves sound.
    """

    shape: str
    envelope: Envelope
    duty: float = 0.5
    vibrato: float = 0.0
    detune: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class Noise:
    """White noise above `low` and below `high` Hz, dying away with time constant `decay`."""

    decay: float
    low: float
    high: float
    thump: float = 0.0  # Hz of a falling sine under it; 0: none


def play(tone: Partials | Wave, pitch: float, velocity: float, held: float, rate: int) -> Sound:
    """A note of MIDI pitch `pitch` that is held for so many seconds, and dies away; velocity 0..1."""
    samples = round((held + tone.envelope.release) * rate)
    ring = _ring(tone, pitch, velocity, samples, rate) if isinstance(tone, Partials) else _cycle(
        tone, pitch, samples, rate
    )  # fmt: skip
    return ring * (velocity * shaped(tone.envelope, samples, rate))


def strike(noise: Noise, velocity: float, rate: int) -> Sound:
    """A stroke on a drum. The same noise each time."""
    samples = round(6 * noise.decay * rate)
    spectrum = np.fft.rfft(np.random.default_rng(samples).standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / rate)
    sound = np.fft.irfft(np.where((hz >= noise.low) & (hz <= noise.high), spectrum, 0), samples)
    sound *= 0.5 / max(1e-9, float(np.abs(sound).max()))
    time = np.arange(samples) / rate
    if noise.thump:
        sound = 0.4 * sound + 0.8 * np.sin(2 * np.pi * noise.thump * (time + 0.04 * (1 - np.exp(-time / 0.03))))
    return np.asarray(velocity * sound * np.exp(-time / noise.decay) * half_cosine(samples)[::-1])


def hertz(pitch: float) -> float:
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def shaped(envelope: Envelope, samples: int, rate: int) -> Sound:
    """The envelope 0..1: attack and release are half cosines, so that neither clicks."""
    body = np.full(samples, envelope.sustain)
    if envelope.sustain < 1:
        body += (1 - envelope.sustain) * np.exp(-np.arange(samples) / (envelope.settle * rate))
    rise = half_cosine(min(round(envelope.attack * rate), samples))
    fall = half_cosine(min(round(envelope.release * rate), samples))[::-1]
    body[: len(rise)] *= rise
    body[samples - len(fall) :] *= fall
    return body


def half_cosine(samples: int) -> Sound:
    """A smooth rise from 0 towards 1."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1)))


def _ring(tone: Partials, pitch: float, velocity: float, samples: int, rate: int) -> Sound:
    """The partials at the note's pitch, each decaying on its own, without an envelope."""
    hz = hertz(pitch)
    ratios = np.array(tone.ratios)
    gains = np.array(tone.gains) * ratios ** (-tone.tilt * (1 - velocity))
    gains[ratios * hz > HIGHEST * rate] = 0.0
    decays = np.array(tone.decays) * np.sqrt(hz / 261.6)
    return _sum_partials((2j * np.pi * ratios * hz - decays) / rate, gains, samples)


def _sum_partials(exponents: NDArray[np.complex128], gains: Sound, samples: int) -> Sound:
    """Im(sum of gain * exp(exponent * n)) for n < samples; exponents and gains of shape (partials,).

    With n = BLOCK * i + j the exponential is a product, and the whole sum one matrix product: some
    thirty times as fast as a sine for every sample.
    """
    blocks = -(-samples // BLOCK)
    coarse = gains[:, None] * np.exp(exponents[:, None] * (BLOCK * np.arange(blocks)))
    fine = np.exp(exponents[:, None] * np.arange(BLOCK))
    left = np.concatenate([coarse.imag, coarse.real])
    right = np.concatenate([fine.real, fine.imag])
    summed: Sound = (left.T @ right).reshape(-1)[:samples]
    return summed


def _cycle(tone: Wave, pitch: float, samples: int, rate: int) -> Sound:
    """The wave read at the note's pitch, from its table."""
    sound, time = np.zeros(samples), np.arange(samples) / rate
    if tone.vibrato:
        depth = (2 ** (tone.vibrato / 12) - 1) / (2 * np.pi * VIBRATO_HZ)
        time += depth * np.minimum(1, time / VIBRATO_AFTER) * np.sin(2 * np.pi * VIBRATO_HZ * time)
    for number, semitones in enumerate(tone.detune):
        hz = hertz(pitch + semitones)
        table, slope = _table(tone.shape, tone.duty, max(1, int(HIGHEST * rate / hz)))
        place = hz * time + (1 + number / len(tone.detune))
        place -= np.floor(place)
        place *= TABLE
        before = place.astype(np.intp)
        place -= before
        sound += table[before] + place * slope[before]
    return sound / len(tone.detune) ** 0.5


@functools.cache
def _table(shape: str, duty: float, highest: int) -> tuple[Sound, Sound]:
    """One period of a wave with partials up to the `highest`, and by how much the next sample is more."""
    orders = np.arange(1, min(highest, TABLE // 4) + 1)
    if shape == "pulse":
        partials = 2 / (np.pi * orders) * np.sin(np.pi * orders * duty) * np.exp(-1j * np.pi * orders * duty)
    elif shape == "triangle":
        partials = np.where(orders % 2, 4 / np.pi**2 / orders**2, 0)
    else:
        partials = -1j / np.pi / orders
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[orders] = partials * (TABLE / 2)
    period = np.fft.irfft(spectrum)
    period = np.append(period, period[0])  # rounding may lead to the very end
    return period, np.append(np.diff(period), 0.0)
