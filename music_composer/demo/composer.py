"""Composes the demonstration's songs by rule: form, melody over harmony, chords and bass.

Times and durations are in beats, pitches are MIDI numbers (69 = A4).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from music_composer.demo.harmony import (
    DOMINANT,
    PHRASE_BARS,
    SUPERTONIC,
    Chord,
    Key,
    draw_key,
    draw_progressions,
    lay_out,
)
from music_composer.demo.melody import Motif, draw_motif, sing

TEMPI = {3: (94, 108), 4: (118, 132)}  # beats a minute by metre: sixteen bars last about half a minute in either
ARPEGGIOS = ((0, 1, 2, 1), (0, 2, 1, 2), (0, 1, 2, 0, 1, 2))  # index of the chord tone on each half beat
HARMONY_FLOOR, BASS_FLOOR = 53, 36  # lowest MIDI pitches of the chords and of the bass
CADENCES = ("open", "close", "bridge", "close")  # of the phrases A A B A


@dataclass(frozen=True)
class Note:
    """A note: start and duration in beats, MIDI pitch, velocity 0 to 1, and the name of its voice."""

    start: float
    duration: float
    pitch: int
    velocity: float
    voice: str


@dataclass(frozen=True)
class Voice:
    """A player: a tone of the synthesizer, a pan from -1 (left) to 1 (right), a level (linear gain)."""

    name: str
    timbre: str
    pan: float
    level: float


@dataclass(frozen=True)
class Piece:
    """A whole composition. tempo: beats a minute. metre: beats in a bar."""

    notes: tuple[Note, ...]
    tempo: float
    key: Key
    metre: int
    bars: int
    chords: tuple[Chord, ...]
    voices: tuple[Voice, ...]

    @property
    def seconds(self) -> float:
        """The length of the written bars in seconds, without reverberation."""
        return self.bars * self.metre * 60.0 / self.tempo


def compose(rng: np.random.Generator, bars: int = 16) -> Piece:
    """Composes a new piece. bars: a multiple of four; sixteen bars have the form A A B A.

    Raises ValueError for other numbers of bars.
    """
    if bars < PHRASE_BARS or bars % PHRASE_BARS:
        raise ValueError(f"bars is {bars}: give a positive multiple of {PHRASE_BARS}")
    # The order of draws belongs to the songs: another order gives other songs for a seed.
    key, metre = draw_key(rng), int(rng.choice(sorted(TEMPI)))
    tempo = float(rng.integers(*TEMPI[metre], endpoint=True))
    motif, progressions = draw_motif(rng, metre), draw_progressions(rng)
    arpeggio = ARPEGGIOS[int(rng.integers(len(ARPEGGIOS)))]
    notes: list[Note] = []
    chords: list[Chord] = []
    for index, cadence in enumerate(_draft_form(bars // PHRASE_BARS)):
        phrase = lay_out(progressions[cadence], index * PHRASE_BARS * metre, metre)
        notes += _write_melody(_vary(motif, index, cadence), phrase, key, metre, cadence)
        notes += _accompany(phrase, key, arpeggio, with_pad=cadence == "bridge")
        chords += phrase
    # The piece ends on a held chord.
    notes = _settle(notes, chords[-1], key)
    return Piece(_humanise(rng, notes), tempo, key, metre, bars, tuple(chords), _seat_voices(rng))


def _draft_form(phrases: int) -> list[str]:
    """The cadence of each phrase; the last one closes."""
    return [CADENCES[index % len(CADENCES)] for index in range(phrases - 1)] + ["close"]


def _vary(motif: Motif, index: int, cadence: str) -> Motif:
    """The motif of a phrase: contrasting in the bridge, embellished when it returns."""
    # Of A A B A, B contrasts and the last A is embellished.
    if cadence == "bridge":
        return motif.contrasting()
    return motif.embellished() if index % len(CADENCES) == len(CADENCES) - 1 else motif


def _write_melody(motif: Motif, chords: Sequence[Chord], key: Key, metre: int, cadence: str) -> list[Note]:
    notes = []
    for tone in sing(motif, chords, metre, closing=cadence == "close"):
        pitch = key.pitch(tone.rung, sharpened=tone.chord.degree == DOMINANT)
        notes.append(Note(tone.start, tone.duration, pitch, 0.8 if tone.strong else 0.65, "melody"))
    return notes


def _accompany(chords: Iterable[Chord], key: Key, arpeggio: Sequence[int], with_pad: bool) -> list[Note]:
    notes = []
    for chord in chords:
        notes += _break_chord(chord, key, arpeggio) + _write_bass(chord, key)
        if with_pad:
            notes += [Note(chord.start, chord.duration, pitch, 0.5, "pad") for pitch in _voice(chord, key)]
    return notes


def _voice(chord: Chord, key: Key) -> list[int]:
    """The chord's three pitches, rising, within a fixed octave, so that voices move little between chords."""
    return sorted(HARMONY_FLOOR + (pitch_class - HARMONY_FLOOR) % 12 for pitch_class in chord.pitch_classes(key))


def _break_chord(chord: Chord, key: Key, arpeggio: Sequence[int]) -> list[Note]:
    pitches = _voice(chord, key)
    notes = []
    for half in range(round(2 * chord.duration)):
        pitch = pitches[arpeggio[half % len(arpeggio)]]
        notes.append(Note(chord.start + half / 2, 0.5, pitch, 0.5 if half % 2 else 0.6, "harmony"))
    return notes


def _write_bass(chord: Chord, key: Key) -> list[Note]:
    """The root, then the fifth after two beats of a four-beat chord; the supertonic has its third in the bass."""
    root, third, fifth = chord.pitch_classes(key)
    # The first inversion of the supertonic leads by step to the root of the dominant.
    classes = [third if chord.degree == SUPERTONIC else root] + ([fifth] if chord.duration == 4 else [])
    duration = chord.duration / len(classes)
    pitches = [BASS_FLOOR + (pitch_class - BASS_FLOOR) % 12 for pitch_class in classes]
    return [Note(chord.start + i * duration, duration, pitch, 0.7, "bass") for i, pitch in enumerate(pitches)]


def _settle(notes: Iterable[Note], last: Chord, key: Key) -> list[Note]:
    """The notes, with the accompaniment of the last chord held instead of broken."""
    # The melody ends by itself; only the accompaniment is replaced.
    kept = [note for note in notes if note.start < last.start or note.voice == "melody"]
    held = [Note(last.start, last.duration, pitch, 0.55, "harmony") for pitch in _voice(last, key)]
    return [*kept, *held, replace(_write_bass(last, key)[0], duration=last.duration)]


def _humanise(rng: np.random.Generator, notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes in order of time, with small random changes of velocity."""
    ordered = sorted(notes, key=lambda note: (note.start, note.voice, note.pitch))
    return tuple(replace(note, velocity=note.velocity + float(rng.uniform(-0.05, 0.05))) for note in ordered)


def _seat_voices(rng: np.random.Generator) -> tuple[Voice, ...]:
    """The voices with a random lead."""
    lead, level = (("flute", 0.36), ("bell", 0.5))[int(rng.integers(2))]
    return (
        Voice("melody", lead, 0.25, level),
        Voice("harmony", "pluck", -0.4, 0.4),
        Voice("bass", "bass", 0.0, 0.5),
        Voice("pad", "organ", -0.1, 0.12),
    )
