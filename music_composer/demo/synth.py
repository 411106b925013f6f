"""Renders a piece: decaying partials shaped by envelopes, placed in stereo, in a small room.

Frequencies are in Hz, times in seconds; sound is float with full scale at 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, oaconvolve

from music_composer.demo.composer import Note, Piece

TAIL_SECONDS = 1.5  # room for the last notes' release and the reverberation
FADE_SECONDS = 0.3
REVERB_SECONDS, REVERB_LEVEL = 0.9, 0.10  # time to fall by 60 dB; level against the dry sound
REVERB_SEED = 20
LOUDNESS = 0.16  # RMS of every piece before limiting
MOST_DRIVE = 1.0  # the highest peak before limiting: lone notes among silence would distort
PEAK = 10 ** (-3 / 20)
BLOCK = 256


@dataclass(frozen=True)
class Timbre:
    """Partials and envelope of an instrument.

    `ratios`, `gains` and `decays` (1/s, at middle C) describe the partials; the envelope rises in `attack`
    seconds, falls towards `sustain` (0..1) with time constant `settle`, and ends in `release` seconds.
    Soft notes lose their partials at ratio r by r ** -(tilt * (1 - velocity)).
    """

    ratios: tuple[float, ...]
    gains: tuple[float, ...]
    decays: tuple[float, ...]
    attack: float
    settle: float
    sustain: float
    release: float
    tilt: float


def _string(partials: int, slope: float, pluck_at: float, decay: float, attack: float) -> Timbre:
    """A plucked string: harmonics falling as k ** -slope, with the comb of the place where it is plucked."""
    orders = np.arange(1, partials + 1)
    gains = np.abs(np.sin(np.pi * orders * pluck_at)) / orders**slope
    decays = decay * (0.5 + 0.5 * orders)
    return Timbre(tuple(orders.tolist()), tuple(gains.tolist()), tuple(decays.tolist()), attack, 1.0, 1.0, 0.12, 1.5)


TIMBRES = {
    "pluck": _string(14, 1.0, 0.23, 2.2, 0.004),
    "bass": _string(10, 1.3, 0.31, 1.2, 0.006),
    "flute": Timbre((1, 2, 3, 4, 5), (1, 0.32, 0.14, 0.05, 0.02), (0,) * 5, 0.05, 0.15, 0.8, 0.10, 1.0),
    "organ": Timbre((1, 1.003, 2, 2.004, 3, 4), (1, 0.8, 0.4, 0.3, 0.12, 0.1), (0,) * 6, 0.15, 0.3, 0.85, 0.25, 0.6),
    "bell": Timbre((1, 2, 4, 5.4), (1, 0.22, 0.3, 0.06), (1.6, 2.5, 5, 8), 0.002, 1.0, 1.0, 0.25, 1.2),
}


def render(piece: Piece, rate: int = 44100) -> NDArray[np.float32]:
    """The piece as sound of shape (samples, 2) at `rate` Hz, peaking at -3 dBFS."""
    samples = round((piece.seconds + TAIL_SECONDS) * rate)
    dry = np.zeros((samples, 2))
    for voice in piece.voices:
        line = np.zeros(samples)
        for note in piece.notes:
            if note.voice == voice.name:
                _add(line, round(note.start * 60 / piece.tempo * rate), _play(note, voice.timbre, piece.tempo, rate))
        dry += line[:, None] * (voice.level * place(voice.pan))
    return _master(dry + _reverberate(dry, rate), rate)


def place(pan: float) -> NDArray[np.float64]:
    """Gains of the left and right channel, shape (2,), of constant power for a pan from -1 to 1."""
    angle = (pan + 1) * np.pi / 4
    return np.array([np.cos(angle), np.sin(angle)])


def _add(line: NDArray[np.float64], begin: int, sound: NDArray[np.float64]) -> None:
    target = line[begin : begin + len(sound)]
    target += sound[: len(target)]


def _play(note: Note, timbre_name: str, tempo: float, rate: int) -> NDArray[np.float64]:
    """One note as mono sound, its release included."""
    timbre = TIMBRES[timbre_name]
    held = note.duration * 60 / tempo
    samples = round((held + timbre.release) * rate)
    sound = _ring(timbre, note, samples, rate)
    return sound * (note.velocity * _shape(timbre, samples, rate))


def _ring(timbre: Timbre, note: Note, samples: int, rate: int) -> NDArray[np.float64]:
    """The timbre's partials at the note's pitch, each decaying on its own, without an envelope."""
    pitch = 440.0 * 2 ** ((note.pitch - 69) / 12)
    ratios = np.array(timbre.ratios)
    gains = np.array(timbre.gains) * ratios ** (-timbre.tilt * (1 - note.velocity))
    gains[ratios * pitch > 0.45 * rate] = 0.0  # would fold back below the Nyquist frequency
    decays = np.array(timbre.decays) * np.sqrt(pitch / 261.6)
    return _sum_partials((2j * np.pi * ratios * pitch - decays) / rate, gains, samples)


def _sum_partials(exponents: NDArray[np.complex128], gains: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Im(sum of gain * exp(exponent * n)) for n < samples; exponents and gains of shape (partials,).

    With n = BLOCK * i + j the exponential is a product, and the whole sum one matrix product: some
    thirty times as fast as a sine for every sample.
    """
    blocks = -(-samples // BLOCK)
    coarse = gains[:, None] * np.exp(exponents[:, None] * (BLOCK * np.arange(blocks)))
    fine = np.exp(exponents[:, None] * np.arange(BLOCK))
    left = np.concatenate([coarse.imag, coarse.real])
    right = np.concatenate([fine.real, fine.imag])
    summed: NDArray[np.float64] = (left.T @ right).reshape(-1)[:samples]
    return summed


def _shape(timbre: Timbre, samples: int, rate: int) -> NDArray[np.float64]:
    """The envelope 0..1: attack and release are half cosines, so that neither clicks."""
    body = np.full(samples, timbre.sustain)
    if timbre.sustain < 1:
        body += (1 - timbre.sustain) * np.exp(-np.arange(samples) / (timbre.settle * rate))
    rise = _half_cosine(min(round(timbre.attack * rate), samples))
    fall = _half_cosine(min(round(timbre.release * rate), samples))[::-1]
    body[: len(rise)] *= rise
    body[samples - len(fall) :] *= fall
    return body


def _half_cosine(samples: int) -> NDArray[np.float64]:
    """A smooth rise from 0 towards 1."""
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1))


def _reverberate(dry: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """The room's answer to stereo sound (samples, 2): dark, decaying noise, unlike on the two sides."""
    length = round(REVERB_SECONDS * rate)
    noise = np.random.default_rng(REVERB_SEED).standard_normal((length, 2))
    pole = np.exp(-2 * np.pi * 3000 / rate)  # walls swallow what lies above some 3 kHz
    response = lfilter([1 - pole], [1, -pole], noise, axis=0) * 1000 ** (-np.arange(length) / length)[:, None]
    response *= REVERB_LEVEL / np.sqrt(np.sum(response**2, axis=0))
    crossed = dry @ np.array([[0.8, 0.2], [0.2, 0.8]])
    wet: NDArray[np.float64] = oaconvolve(crossed, response, axes=0)[: len(dry)]
    return wet


def _master(sound: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """Bring sound to the common loudness, round off its highest peaks, and fade its end out."""
    level = np.sqrt(np.mean(sound**2))
    if level == 0:
        return sound.astype(np.float32)
    drive = min(LOUDNESS / level, MOST_DRIVE / np.max(np.abs(sound)))
    limited = np.tanh(sound * drive)
    fade = min(round(FADE_SECONDS * rate), len(limited))
    limited[-fade:] *= np.linspace(1, 0, fade)[:, None]
    mastered: NDArray[np.float32] = (limited * (PEAK / np.max(np.abs(limited)))).astype(np.float32)
    return mastered
