"""Bars of written notes as scores: repeats are written out, ties joined, and bar lines kept."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.meta_events import MAX_TEMPO, MIN_TEMPO, is_metre
from music_composer.symbolic.notation.repeats import Signs, playing_order
from music_composer.values import NOTE, Part, Score

RESOLUTION = 480  # ticks in a quarter note
VELOCITY = 80  # without dynamics
MAX_BARS = 50_000  # with repeats written out
MAX_NOTES = 500_000
MAX_NOTE = 1000.0  # quarter notes
MAX_QUARTERS = 100_000  # quarter notes, of a whole score
GRACE = 0.25  # quarter notes that grace notes take from the time before their note
NO_REPEATS = "repeats are inconsistent or endless: the bars are read as written"
ODD_METRES = "invalid metres were left out"


@dataclasses.dataclass(frozen=True)
class Written:
    """A note in a bar. at, length: in quarter notes from the bar's beginning; a grace note has length 0.

    voice: a grace note belongs to the next note of its voice. instrument: index of the part that plays it. tied: to the
    next note of its pitch, if that begins where this one ends. chord: of a grace note, that it sounds with the one
    before.
    """

    at: float
    length: float
    pitch: int
    velocity: int
    voice: str = ""
    instrument: int = 0
    tied: bool = False
    chord: bool = False


@dataclasses.dataclass
class Bar:
    """A bar of all parts. length: in quarter notes. metre: of a time signature in this bar. tempos: (at, tempo).

    signs: at its end and its beginning. middle: for a repeat sign within the bar, its position and the signs before it.
    """

    notes: list[Written] = dataclasses.field(default_factory=list)
    length: float = 0.0
    metre: tuple[int, int] | None = None
    tempos: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    signs: Signs = dataclasses.field(default_factory=Signs)
    middle: tuple[float, Signs] | None = None


@dataclasses.dataclass(frozen=True)
class Instrument:
    """What plays a part: a program of General MIDI, or drums, and a name."""

    program: int = 0
    drums: bool = False
    name: str = ""


def halves(bar: Bar) -> list[Bar]:
    """The bar, or two bars where a repeat sign stands within it."""
    place, signs = bar.middle or (0.0, bar.signs)
    if not 0 < place < bar.length:
        return [bar]
    # Notes are divided by their onset.
    sides: tuple[list[Written], list[Written]] = [], []
    for note in bar.notes:
        sides[note.at >= place].append(note if note.at < place else dataclasses.replace(note, at=note.at - place))
    tempos = [(at - place, tempo) for at, tempo in bar.tempos if at >= place]
    return [
        Bar(sides[0], place, bar.metre, [(at, tempo) for at, tempo in bar.tempos if at < place], signs),
        Bar(sides[1], bar.length - place, None, tempos, bar.signs),
    ]


def score_of(bars: Sequence[Bar], instruments: Sequence[Instrument], name: str, repairs: Counter[str]) -> Score:
    """The score of bars, which hold the notes of all instruments.

    repairs: counts by what was repaired. Raises ScoreError where the score is too long.
    """
    order = playing_order([bar.signs for bar in bars], MAX_BARS)
    if order is None or sum(len(bars[number].notes) for number in order) > MAX_NOTES:
        repairs[NO_REPEATS] += 1
        order = list(range(len(bars)))
    played = [bars[number] for number in order]
    notes = sum(len(bar.notes) for bar in played)
    if len(played) > MAX_BARS or notes > MAX_NOTES:
        raise ScoreError(f"{name}: has {len(played):,} bars and {notes:,} notes: no score is that long")
    begins = np.concatenate([[0.0], np.cumsum([bar.length for bar in played])])
    if begins[-1] > MAX_QUARTERS:
        raise ScoreError(f"{name}: would last for {begins[-1]:,.0f} quarter notes: no score does")
    tempos = {0: 120.0}
    for bar, begin in zip(played, begins, strict=False):
        tempos |= {_ticks(begin + at): tempo for at, tempo in bar.tempos if MIN_TEMPO <= tempo <= MAX_TEMPO}
    changes = sorted(tempos.items())
    # Repeated values are no changes.
    changes = [change for change, before in zip(changes, [(0, 0.0), *changes], strict=False) if change[1] != before[1]]
    parts = _parts(played, begins, instruments)
    return Score(parts, RESOLUTION, tuple(changes), _metres(played, bars, order, begins, repairs))


def _metres(
    played: Sequence[Bar], bars: Sequence[Bar], order: Sequence[int], begins: np.ndarray, repairs: Counter[str]
) -> tuple[tuple[int, int, int], ...]:
    """The metres of the played bars.

    A bar that is shorter or longer than its metre, such as a pickup, gets a metre of its own, so that later bar lines
    stay where they are written.
    """
    written, metre = [], (4, 4)
    for bar in bars:
        if bar.metre and is_metre(*bar.metre):
            metre = bar.metre
        elif bar.metre:
            repairs[ODD_METRES] += 1
        written.append(metre)
    found: dict[int, tuple[int, int]] = {0: (4, 4)}
    for place, (bar, number, begin) in enumerate(zip(played, order, begins, strict=False)):
        beats, note = written[number]
        regular = beats * 4 / note
        # A bar that holds several whole metres keeps its metre.
        whole = abs(bar.length - max(1, round(bar.length / regular)) * regular) < 1 / RESOLUTION
        if not whole and (place + 1 < len(played) or bar.length > regular):
            beats, note = _metre_of(bar.length, note) or (beats, note)
        found[_ticks(begin)] = beats, note
    changes: list[tuple[int, int, int]] = []
    for tick, (beats, note) in sorted(found.items()):
        if not changes or changes[-1][1:] != (beats, note):
            changes.append((tick, beats, note))
    return tuple(changes)


def _metre_of(length: float, note: int) -> tuple[int, int] | None:
    """A metre whose bar has a length in quarter notes, with beats as near to `note` as possible; None without one."""
    for value in (note, *(2**power for power in range(2, 7))):
        beats = length * value / 4
        if abs(beats - round(beats)) < 1e-6 and is_metre(round(beats), value):
            return round(beats), value
    return None


def _parts(played: Sequence[Bar], begins: np.ndarray, instruments: Sequence[Instrument]) -> tuple[Part, ...]:
    """The notes of each instrument, with ties joined."""
    rows: dict[int, list[tuple[float, float, int, int]]] = defaultdict(list)
    tied: dict[tuple[int, int, int], int] = {}  # rows with a tie, by instrument, pitch and end in ticks
    for bar, begin in zip(played, begins, strict=False):
        for note, (at, length) in zip(bar.notes, _timed(bar.notes), strict=True):
            start, stop = float(max(0.0, begin + at)), float(begin + at + length)
            mine, key = rows[note.instrument], (note.instrument, note.pitch)
            # A tied note lengthens its row instead of adding one.
            row = tied.pop((*key, _ticks(start)), len(mine))
            if row < len(mine):
                mine[row] = (mine[row][0], stop, *mine[row][2:])
            else:
                mine.append((start, stop, note.pitch, note.velocity))
            if note.tied:
                tied[*key, _ticks(stop)] = row
    parts = []
    for number in sorted(rows):
        table = np.zeros(len(rows[number]), NOTE)
        start, stop, table["pitch"], table["velocity"] = np.array(rows[number]).T
        table["start"], table["stop"] = np.round(start * RESOLUTION), np.round(stop * RESOLUTION)
        table["stop"] = np.maximum(table["stop"], table["start"] + 1)
        instrument = instruments[number]
        parts.append(
            Part(np.sort(table, order=["start", "pitch"]), instrument.program, instrument.drums, instrument.name)
        )
    return tuple(parts)


def _timed(notes: Sequence[Written]) -> list[tuple[float, float]]:
    """Position and length of each note in quarter notes. Grace notes share a short time before the next note."""
    times = [(note.at, note.length) for note in notes]
    waiting: dict[str, list[int]] = defaultdict(list)
    for number, note in enumerate(notes):
        if not note.length:
            waiting[note.voice].append(number)
        elif note.voice in waiting:
            # Grace notes of a chord share a place; places follow one another.
            graces = waiting.pop(note.voice)
            places = np.cumsum([not notes[grace].chord for grace in graces]) - 1
            length = GRACE / (places[-1] + 1)
            for place, grace in zip(places, graces, strict=True):
                times[grace] = note.at - GRACE + max(0, place) * length, length
    for graces in waiting.values():  # after the last note of a bar, as at the end of a trill
        for grace in graces:
            times[grace] = notes[grace].at - GRACE, GRACE
    return times


def _ticks(quarters: float) -> int:
    return round(float(quarters) * RESOLUTION)
