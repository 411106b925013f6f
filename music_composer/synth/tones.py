"""Single notes as sound: decaying partials and periodic waves, shaped by envelopes.

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
MAX_PARTIAL = 0.45  # of the rate: higher partials would alias
TABLE = 2048  # samples of a period
VIBRATO_HZ, VIBRATO_AFTER = 5.5, 0.4  # seconds until the vibrato is full
INAUDIBLE = 1e-6  # level at which a decaying note ends


@dataclass(frozen=True)
class Envelope:
    """Rises in `attack` seconds, approaches `sustain` (0 to 1) with time constant `settle`, falls in `release`
    seconds.
    """

    attack: float
    settle: float
    sustain: float
    release: float


@dataclass(frozen=True)
class Partials:
    """Partials at `ratios` of the pitch, with `gains`, each decaying by `decays` (1/s, at middle C).

    Soft notes are darker: a partial at ratio r is scaled by r ** -(tilt * (1 - velocity)).
    """

    ratios: tuple[float, ...]
    gains: tuple[float, ...]
    decays: tuple[float, ...]
    envelope: Envelope
    tilt: float


@dataclass(frozen=True)
class Wave:
    """A periodic wave. shape: `pulse`, high for `duty` of its period, `triangle` or `saw`.

    vibrato: semitones to either side, after a delay. detune: semitones; for several, as many waves sound together.
    """

    shape: str
    envelope: Envelope
    duty: float = 0.5
    vibrato: float = 0.0
    detune: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class Noise:
    """White noise between `low` and `high` Hz that decays with time constant `decay`."""

    decay: float
    low: float
    high: float
    thump: float = 0.0  # Hz of a falling sine below it; 0: none


@dataclass(frozen=True)
class Glide:
    """A pitch that moves in straight lines: `semitones` away at `seconds` from the note's start, the first at 0.

    After the last point the pitch is constant.
    """

    seconds: Sound
    semitones: Sound

    def warped(self, time: Sound) -> Sound:
        """The time in seconds that an oscillator at the written pitch would need: the integral of the pitch ratio."""
        ratios, lengths = 2 ** (self.semitones / 12), np.diff(self.seconds)
        # The ratio is 2 ** (semitones / 12), so a straight line of pitch is an exponential.
        slopes = np.log(2) / 12 * np.append(np.diff(self.semitones) / np.maximum(lengths, 1e-9), 0.0)
        reached = np.concatenate([[0.0], np.cumsum(lengths * _mean_of_ratio(ratios[:-1], slopes[:-1] * lengths))])
        number = np.clip(np.searchsorted(self.seconds, time, side="right") - 1, 0, None)
        since = time - self.seconds[number]
        return np.asarray(reached[number] + since * _mean_of_ratio(ratios[number], slopes[number] * since))


def render_note(
    tone: Partials | Wave,
    pitch: float,
    velocity: float,
    held: float,
    rate: int,
    span: tuple[int, int] | None = None,
    glide: Glide | None = None,
) -> Sound:
    """A note of MIDI pitch `pitch` that is held for `held` seconds and then released; velocity 0 to 1.

    span: the samples to render, by default all; the first must be a multiple of BLOCK.
    """
    samples = samples_of(tone, held, rate)
    first, last = span or (0, samples)
    if isinstance(tone, Wave):
        ring = _cycle(tone, pitch, (first, last), rate, glide)
    elif glide:
        ring = _gliding_ring(tone, pitch, velocity, (first, last), rate, glide)
    else:
        ring = _ring(tone, pitch, velocity, (first, last), rate)
    return ring * (velocity * shaped(tone.envelope, samples, rate, (first, last)))


def samples_of(tone: Partials | Wave, held: float, rate: int) -> int:
    """The length in samples of a note that is held for `held` seconds."""
    return round((held + tone.envelope.release) * rate)


def seconds_audible(tone: Partials | Wave, pitch: float) -> float:
    """The seconds after which a held note is inaudible; infinity if it does not decay."""
    slowest = min(tone.decays) * np.sqrt(hertz(pitch) / 261.6) if isinstance(tone, Partials) else 0.0
    return float(np.log(1 / INAUDIBLE) / slowest) if slowest else np.inf


def render_drum(noise: Noise, velocity: float, rate: int) -> Sound:
    """A stroke on a drum, with the same noise each time."""
    samples = round(6 * noise.decay * rate)
    # Seeded by the length, so that a drum always sounds the same.
    spectrum = np.fft.rfft(np.random.default_rng(samples).standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / rate)
    sound = np.fft.irfft(np.where((hz >= noise.low) & (hz <= noise.high), spectrum, 0), samples)
    sound *= 0.5 / max(1e-9, float(np.abs(sound).max()))
    time = np.arange(samples) / rate
    if noise.thump:
        sound = 0.4 * sound + 0.8 * np.sin(2 * np.pi * noise.thump * (time + 0.04 * (1 - np.exp(-time / 0.03))))
    return np.asarray(velocity * sound * np.exp(-time / noise.decay) * half_cosine(samples)[::-1])


def hertz(pitch: float) -> float:
    """The frequency of a MIDI pitch in equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


def shaped(envelope: Envelope, samples: int, rate: int, span: tuple[int, int] | None = None) -> Sound:
    """The envelope of a note, 0 to 1, or of a span of it.

    Attack and release are half cosines, which do not click.
    """
    first, last = span or (0, samples)
    body = np.full(last - first, envelope.sustain)
    if envelope.sustain < 1:
        body += (1 - envelope.sustain) * np.exp(-np.arange(first, last) / (envelope.settle * rate))
    rise = half_cosine(min(round(envelope.attack * rate), samples))[first:last]
    fall = half_cosine(min(round(envelope.release * rate), samples))[::-1]
    falls = samples - len(fall)
    body[: len(rise)] *= rise
    body[max(0, falls - first) :] *= fall[max(0, first - falls) : max(0, last - falls)]
    return body


@functools.lru_cache(maxsize=64)
def half_cosine(samples: int) -> Sound:
    """A smooth rise from 0 towards 1, cached and read-only."""
    rise = np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1)))
    rise.flags.writeable = False
    return rise


def _ring(tone: Partials, pitch: float, velocity: float, span: tuple[int, int], rate: int) -> Sound:
    """The partials of a note at a constant pitch, without an envelope."""
    hz, ratios, gains, decays = _partials(tone, pitch, velocity, rate, 1.0)
    return _sum_partials((2j * np.pi * ratios * hz - decays) / rate, gains, *span)


def _gliding_ring(
    tone: Partials, pitch: float, velocity: float, span: tuple[int, int], rate: int, glide: Glide
) -> Sound:
    """The partials of a note whose pitch moves: one sine for each."""
    hz, ratios, gains, decays = _partials(tone, pitch, velocity, rate, 2 ** (glide.semitones.max() / 12))
    time = np.arange(*span) / rate
    warped, sound = glide.warped(time), np.zeros(len(time))
    for ratio, gain, decay in zip(ratios, gains, decays, strict=True):
        if gain:
            turns = ratio * hz * warped
            # float32 has too few digits for the phase of a long note: only the fraction of a turn is kept.
            turns -= np.floor(turns)
            wave = np.sin((2 * np.pi * turns).astype(np.float32))
            sound += gain * (np.exp(-decay * time) * wave if decay else wave)
    return sound


def _partials(
    tone: Partials, pitch: float, velocity: float, rate: int, highest: float
) -> tuple[float, Sound, Sound, Sound]:
    """The pitch in Hz, and the ratios, gains and decays of the partials; those beyond the limit have gain 0.

    highest: the greatest factor by which a glide raises the pitch.
    """
    hz = hertz(pitch)
    ratios = np.array(tone.ratios)
    gains = np.array(tone.gains) * ratios ** (-tone.tilt * (1 - velocity))
    # They would alias.
    gains[ratios * hz * highest > MAX_PARTIAL * rate] = 0.0
    return hz, ratios, gains, np.array(tone.decays) * np.sqrt(hz / 261.6)


def _sum_partials(exponents: NDArray[np.complex128], gains: Sound, first: int, last: int) -> Sound:
    """Im(sum of gain * exp(exponent * n)) for first <= n < last; exponents and gains of shape (partials,).

    With n = BLOCK * i + j the exponential is a product of two, and the sum one matrix product: about thirty times as
    fast as a sine for every sample. `first` must be a multiple of BLOCK.
    """
    blocks = np.arange(first // BLOCK, -(-last // BLOCK))
    coarse = gains[:, None] * np.exp(exponents[:, None] * (BLOCK * blocks))
    fine = np.exp(exponents[:, None] * np.arange(BLOCK))
    left = np.concatenate([coarse.imag, coarse.real])
    right = np.concatenate([fine.real, fine.imag])
    summed: Sound = (left.T @ right).reshape(-1)[: last - first]
    return summed


def _cycle(tone: Wave, pitch: float, span: tuple[int, int], rate: int, glide: Glide | None) -> Sound:
    """The wave of a note, read from a table."""
    time = np.arange(*span) / rate
    sound = np.zeros(len(time))
    highest = 2 ** (glide.semitones.max() / 12) if glide else 1.0
    if tone.vibrato:
        # Vibrato modulates the time: its derivative is the pitch ratio.
        depth = (2 ** (tone.vibrato / 12) - 1) / (2 * np.pi * VIBRATO_HZ)
        time += depth * np.minimum(1, time / VIBRATO_AFTER) * np.sin(2 * np.pi * VIBRATO_HZ * time)
    if glide:
        time = glide.warped(time)
    for number, semitones in enumerate(tone.detune):
        hz = hertz(pitch + semitones)
        table, slope = _table(tone.shape, tone.duty, max(1, int(MAX_PARTIAL * rate / (hz * highest))))
        place = hz * time + (1 + number / len(tone.detune))
        place -= np.floor(place)
        place *= TABLE
        before = place.astype(np.intp)
        place -= before
        sound += table[before] + place * slope[before]
    return sound / len(tone.detune) ** 0.5


def _mean_of_ratio(ratio: Sound, rise: Sound) -> Sound:
    """The mean of ratio * exp(x) for x from 0 to `rise`."""
    return np.asarray(ratio * np.divide(np.expm1(rise), rise, out=np.ones_like(rise), where=rise != 0))


@functools.cache
def _table(shape: str, duty: float, highest: int) -> tuple[Sound, Sound]:
    """One period of a wave with partials up to the `highest`, and the difference to each next sample."""
    # Fourier series of the shapes.
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
    period = np.append(period, period[0])  # rounding may reach the end of the table
    return period, np.append(np.diff(period), 0.0)
