"""Note names, scales and ranges, as the command line takes them. C4 is MIDI pitch 60, middle C."""

from __future__ import annotations

import re
from types import MappingProxyType

import numpy as np

from music_composer.errors import OptionError
from music_composer.symbolic.play_options import BoundOptions
from music_composer.values import OCTAVE, PITCHES

NOTE = r"[A-Ga-g][#b]*-?\d|\d+"
NATURALS = MappingProxyType({"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11})
SCALES = MappingProxyType(
    {
        "major": (0, 2, 4, 5, 7, 9, 11),
        "minor": (0, 2, 3, 5, 7, 8, 10),
        "harmonic-minor": (0, 2, 3, 5, 7, 8, 11),
        "melodic-minor": (0, 2, 3, 5, 7, 8, 9, 10, 11),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
        "phrygian": (0, 1, 3, 5, 7, 8, 10),
        "lydian": (0, 2, 4, 6, 7, 9, 11),
        "mixolydian": (0, 2, 4, 5, 7, 9, 10),
        "pentatonic": (0, 2, 4, 7, 9),
        "minor-pentatonic": (0, 3, 5, 7, 10),
        "blues": (0, 3, 5, 6, 7, 10),
        "whole-tone": (0, 2, 4, 6, 8, 10),
        "chromatic": tuple(range(OCTAVE)),
    }
)


def allowed_pitches(options: BoundOptions) -> np.ndarray:
    """The pitches that the options allow, bool (128,).

    Raises OptionError for text that is no scale or range, and where no pitch is left.
    """
    allowed = np.ones(PITCHES, bool)
    if options.scale:
        allowed &= _scale(options.scale)
    if options.range:
        allowed &= _range(options.range)
    if not allowed.any():
        raise OptionError(f"--range {options.range} has no pitch of --scale {options.scale}: give a wider range")
    if options.max_polyphony < 0:
        raise OptionError(f"--max-polyphony is {options.max_polyphony}: it must be at least 1")
    return allowed


def pitch_of(name: str) -> int | None:
    """ "C#4", "Bb-1" or "61" as a MIDI pitch; None for anything else."""
    if re.fullmatch(r"\d{1,3}", name):
        pitch = int(name)
    else:
        found = re.fullmatch(r"([A-Ga-g])([#b]*)(-?\d)", name)
        if not found:
            return None
        pitch = _pitch_class(found[1], found[2]) + OCTAVE * (int(found[3]) + 1)
    return pitch if 0 <= pitch < PITCHES else None


def _scale(text: str) -> np.ndarray:
    found = re.fullmatch(r"\s*([A-Ga-g])([#b]*)[\s:]*([a-z -]*)\s*", text)
    # A note alone is a major scale.
    kind = re.sub(r"[\s-]+", "-", found[3].strip()) or "major" if found else ""
    if not found or kind not in SCALES:
        raise OptionError(f"--scale is {text!r}: give a note and one of {', '.join(SCALES)}, like 'D minor'")
    classes = [(_pitch_class(found[1], found[2]) + step) % OCTAVE for step in SCALES[kind]]
    return np.isin(np.arange(PITCHES) % OCTAVE, classes)


def _range(text: str) -> np.ndarray:
    found = re.fullmatch(rf"\s*({NOTE})\s*(?:-|\.\.|\s)\s*({NOTE})\s*", text)
    ends = (pitch_of(found[1]), pitch_of(found[2])) if found else (None, None)
    if ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        raise OptionError(f"--range is {text!r}: give two notes or MIDI pitches, the lower first, like C3-C6 or 48-84")
    pitches = np.arange(PITCHES)
    return (pitches >= ends[0]) & (pitches <= ends[1])


def _pitch_class(letter: str, signs: str) -> int:
    """The pitch class of a note name, -n to 11 + n for n signs: Cb is a semitone below C."""
    return NATURALS[letter.upper()] + signs.count("#") - signs.count("b")
