"""The tones of the synthesizer, and the voices that assign them to parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from music_composer.synth.tones import Envelope, Noise, Partials, Wave

Tone = Partials | Wave


def _string(partials: int, slope: float, struck_at: float, decay: float, attack: float, stiff: float = 0.0) -> Partials:
    """A freely vibrating string.

    Harmonics fall as k ** -slope, with the comb filter of the point where it is plucked or struck, stretched by its
    stiffness (Fletcher 1964).
    """
    orders = np.arange(1, partials + 1)
    gains = np.abs(np.sin(np.pi * orders * struck_at)) / orders**slope
    decays = decay * (0.5 + 0.5 * orders)
    ratios = orders * np.sqrt(1 + stiff * orders**2)
    return Partials(
        tuple(ratios.tolist()), tuple(gains.tolist()), tuple(decays.tolist()), Envelope(attack, 1.0, 1.0, 0.12), 1.5
    )


TONES: Mapping[str, Tone] = MappingProxyType(
    {
        "piano": _string(18, 1.1, 0.125, 0.55, 0.003, stiff=2e-4),
        "pluck": _string(14, 1.0, 0.23, 2.2, 0.004),
        "bass": _string(10, 1.3, 0.31, 1.2, 0.006),
        "flute": Partials((1, 2, 3, 4, 5), (1, 0.32, 0.14, 0.05, 0.02), (0,) * 5, Envelope(0.05, 0.15, 0.8, 0.10), 1.0),
        "organ": Partials(
            (1, 1.003, 2, 2.004, 3, 4), (1, 0.8, 0.4, 0.3, 0.12, 0.1), (0,) * 6, Envelope(0.15, 0.3, 0.85, 0.25), 0.6
        ),
        "bell": Partials((1, 2, 4, 5.4), (1, 0.22, 0.3, 0.06), (1.6, 2.5, 5, 8), Envelope(0.002, 1.0, 1.0, 0.25), 1.2),
        "strings": Wave("saw", Envelope(0.12, 0.4, 0.85, 0.25), vibrato=0.15, detune=(-0.07, 0.0, 0.08)),
        "brass": Wave("saw", Envelope(0.04, 0.2, 0.75, 0.08), vibrato=0.1),
        "reed": Wave("pulse", Envelope(0.03, 0.2, 0.8, 0.06), duty=0.45, vibrato=0.12),
        "pulse": Wave("pulse", Envelope(0.002, 0.1, 0.65, 0.02), duty=0.5),
        "pulse 25": Wave("pulse", Envelope(0.002, 0.15, 0.6, 0.03), duty=0.25, vibrato=0.1),
        "pulse 12": Wave("pulse", Envelope(0.002, 0.08, 0.5, 0.04), duty=0.125, vibrato=0.15),
        "triangle": Wave("triangle", Envelope(0.003, 1.0, 1.0, 0.01)),
    }
)
LEVELS = MappingProxyType({"strings": 0.5, "brass": 0.6, "reed": 0.5, "pulse": 0.4, "pulse 25": 0.4, "pulse 12": 0.4})


@dataclass(frozen=True)
class Voice:
    """The tones of the parts of a score: the upper parts take turns, the lowest part may have a tone of its own.

    echo: seconds of delay of an echo; 0: none. room: whether there is reverberation.
    """

    upper: tuple[str, ...]
    lowest: str = ""
    echo: float = 0.0
    room: bool = True


VOICES = MappingProxyType(
    {
        **{name: Voice((name,)) for name in ("piano", "strings", "organ", "pluck", "flute", "bell", "brass", "reed")},
        "nes": Voice(("pulse", "pulse 25"), "triangle", room=False),
        "famicom": Voice(("pulse 25", "pulse 12"), "triangle", echo=0.18, room=False),
    }
)
AUTO = "auto"  # each part by its General MIDI program
# The last program of each group of General MIDI, and its tone.
PROGRAMS = (
    (7, "piano"), (15, "bell"), (23, "organ"), (31, "pluck"), (39, "bass"), (44, "strings"), (47, "pluck"),
    (55, "strings"), (63, "brass"), (71, "reed"), (79, "flute"), (80, "pulse"), (87, "pulse 25"), (103, "strings"),
    (111, "pluck"), (127, "bell"),
)  # fmt: skip
DRUMS = MappingProxyType(
    {"low": Noise(0.09, 20, 300, thump=55), "middle": Noise(0.08, 300, 6000), "high": Noise(0.03, 5000, 16000),
     "crash": Noise(0.35, 3000, 15000)}
)  # fmt: skip


def tone_of_program(program: int) -> str:
    """The tone of a General MIDI program."""
    return next(name for last, name in PROGRAMS if program <= last)


def drum_of(pitch: int) -> Noise:
    """The sound of a drum in General MIDI's key map."""
    if pitch in (35, 36, 41, 43, 45):
        return DRUMS["low"]
    if pitch in (49, 51, 52, 55, 57, 59):
        return DRUMS["crash"]
    return DRUMS["high"] if pitch in (42, 44, 46, 54, 69, 70, 82) else DRUMS["middle"]
