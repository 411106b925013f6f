"""The instruments of General MIDI by name, and parts as text."""

from __future__ import annotations

import re

from music_composer.values import Part

PROGRAMS = """
acoustic grand piano, bright acoustic piano, electric grand piano, honky-tonk piano, electric piano 1,
electric piano 2, harpsichord, clavinet,
celesta, glockenspiel, music box, vibraphone, marimba, xylophone, tubular bells, dulcimer,
drawbar organ, percussive organ, rock organ, church organ, reed organ, accordion, harmonica, tango accordion,
nylon guitar, steel guitar, jazz guitar, clean guitar, muted guitar, overdriven guitar, distortion guitar,
guitar harmonics,
acoustic bass, fingered bass, picked bass, fretless bass, slap bass 1, slap bass 2, synth bass 1, synth bass 2,
violin, viola, cello, contrabass, tremolo strings, pizzicato strings, orchestral harp, timpani,
string ensemble 1, string ensemble 2, synth strings 1, synth strings 2, choir aahs, voice oohs, synth voice,
orchestra hit,
trumpet, trombone, tuba, muted trumpet, french horn, brass section, synth brass 1, synth brass 2,
soprano sax, alto sax, tenor sax, baritone sax, oboe, english horn, bassoon, clarinet,
piccolo, flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina,
square lead, sawtooth lead, calliope lead, chiff lead, charang lead, voice lead, fifths lead, bass and lead,
new age pad, warm pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad,
rain, soundtrack, crystal, atmosphere, brightness, goblins, echoes, sci-fi,
sitar, banjo, shamisen, koto, kalimba, bagpipe, fiddle, shanai,
tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom, synth drum, reverse cymbal,
guitar fret noise, breath noise, seashore, bird tweet, telephone ring, helicopter, applause, gunshot
"""
NAMES = tuple(name.strip() for name in PROGRAMS.split(","))  # by program
ALIASES = {
    "piano": 0, "grand piano": 0, "organ": 19, "guitar": 24, "bass guitar": 33, "double bass": 43, "violoncello": 42,
    "strings": 48, "choir": 52, "horn": 60, "cor anglais": 69, "saxophone": 65, "alto saxophone": 65,
    "soprano saxophone": 64, "tenor saxophone": 66, "baritone saxophone": 67, "harp": 46, "bells": 14,
    "euphonium": 58, "cornet": 56, "bass trombone": 57, "bass clarinet": 71, "keyboard": 0, "synthesizer": 80,
}  # fmt: skip
DRUMS = {
    "bass drum": 36, "kick": 36, "snare": 38, "side drum": 38, "rimshot": 37, "clap": 39, "hi-hat": 42, "hihat": 42,
    "open hi-hat": 46, "tom": 45, "floor tom": 41, "crash": 49, "cymbal": 49, "ride": 51, "tambourine": 54,
    "cowbell": 56, "bongo": 60, "conga": 63, "timbale": 65, "agogo": 67, "cabasa": 69, "maracas": 70, "guiro": 73,
    "claves": 75,
    "wood block": 76, "woodblock": 76, "triangle": 81, "shaker": 82,
}  # fmt: skip
MAX_NAME = 40


def instrument(part: Part) -> str:
    return "drums" if part.drums else NAMES[part.program]


def in_words(part: Part) -> str:
    """ "Strings, violin": a part's name, if it has one, and its instrument."""
    return f"{name_of(part)}, {instrument(part)}" if part.name else instrument(part)


def name_of(part: Part) -> str:
    """The name of a part from its file, with printable characters only."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in part.name)
    return shown if len(shown) <= MAX_NAME else shown[: MAX_NAME - 3] + "..."


def listed(parts: tuple[Part, ...]) -> str:
    """ "0 (Keys, harpsichord), 1 (drums)": parts with the numbers that options take."""
    return ", ".join(f"{number} ({in_words(part)})" for number, part in enumerate(parts))


def program_named(words: str) -> int | None:
    """The program whose name a text contains, the longest if there are several; None without one."""
    return _named(words, {name: number for number, name in enumerate(NAMES)} | ALIASES)


def drum_named(words: str) -> int | None:
    """The kind of drum whose name a text contains; None without one."""
    return _named(words, DRUMS)


def _named(words: str, names: dict[str, int]) -> int | None:
    text = " ".join(re.findall(r"[a-z0-9-]+", words[:200].lower()))
    found = [name for name in names if re.search(rf"(?<![a-z]){re.escape(name)}s?(?![a-z])", text)]
    return names[max(found, key=len)] if found else None
