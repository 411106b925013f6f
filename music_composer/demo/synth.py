"""Renders a piece of the demonstration: decaying partials with envelopes, panned, in a small room.

Frequencies are in Hz, times in seconds; sound is float with full scale at 1.
"""

import numpy as np
from numpy.typing import NDArray

from music_composer.demo.composer import Piece
from music_composer.synth.room import place, reverberate
from music_composer.synth.tones import render_note
from music_composer.synth.voices import TONES

TAIL_SECONDS = 1.5  # for the release of the last notes and the reverberation
FADE_SECONDS = 0.3
LOUDNESS = 0.16  # RMS of every piece before limiting
MAX_DRIVE = 1.0  # highest peak before limiting: single notes in silence would distort
PEAK = 10 ** (-3 / 20)


def render(piece: Piece, rate: int = 44100) -> NDArray[np.float32]:
    """A piece as sound of shape (samples, 2) at `rate` Hz, with its peak at -3 dBFS."""
    samples = round((piece.seconds + TAIL_SECONDS) * rate)
    dry = np.zeros((samples, 2))
    for voice in piece.voices:
        line = np.zeros(samples)
        for note in piece.notes:
            if note.voice == voice.name:
                sound = render_note(
                    TONES[voice.timbre], note.pitch, note.velocity, note.duration * 60 / piece.tempo, rate
                )
                _add(line, round(note.start * 60 / piece.tempo * rate), sound)
        # Each voice is rendered in mono, then panned.
        dry += line[:, None] * (voice.level * place(voice.pan))
    return _master(dry + reverberate(dry.T, rate).T, rate)


def _add(line: NDArray[np.float64], begin: int, sound: NDArray[np.float64]) -> None:
    target = line[begin : begin + len(sound)]
    target += sound[: len(target)]


def _master(sound: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """Normalizes sound to the common loudness, soft-clips its peaks, and fades out its end."""
    level = np.sqrt(np.mean(sound**2))
    if level == 0:
        return sound.astype(np.float32)
    # tanh limits the peaks, then the highest peak is scaled to -3 dBFS.
    drive = min(LOUDNESS / level, MAX_DRIVE / np.max(np.abs(sound)))
    limited = np.tanh(sound * drive)
    fade = min(round(FADE_SECONDS * rate), len(limited))
    limited[-fade:] *= np.linspace(1, 0, fade)[:, None]
    mastered: NDArray[np.float32] = (limited * (PEAK / np.max(np.abs(limited)))).astype(np.float32)
    return mastered
