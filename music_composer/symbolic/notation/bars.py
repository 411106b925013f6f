"""Notation, as bars of written notes, to scores: repeats are played, ties joined, and bar lines kept where they are."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.meta_events import FASTEST, SLOWEST, is_metre
from music_composer.symbolic.notation.repeats import Signs, playing_order
from music_composer.values import NOTE, Part, Score

RESOLUTION = 480  # ticks in a quarter note
VELOCITY = 80  # where nothing is said
MOST_BARS = 50_000  # as they are played
MOST_NOTES = 500_000
LONGEST_NOTE = 1000.0  # quarter notes
LONGEST = 100_000  # quarter notes, of a whole score
GRACE = 0.25  # quarter notes that grace notes take of what is before them
NO_REPEATS = "repeats lead nowhere or to no end: it is read as written"
ODD_METRES = "metres that make no sense were left out"


@dataclasses.dataclass(frozen=True)
class Written:
    """A note in a bar: where it begins in it and how long it is, in quarter notes; a grace note has length 0.

    voice: grace notes belong to the next note of the same. instrument: number of the part that plays it. tied: to the
    next note of its pitch, if that begins where it ends. chord: of a grace note, with the one before it.
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
    """length: quarter notes. metre: what the signature here says, if there is one. tempos: (place, tempo).

    signs: of its end, and of its beginning. middle: of a bar with a repeat sign within, the place of that, and what
    stands at the bar before it.
    """

    notes: list[Written] = dataclasses.field(default_factory=list)
    length: float = 0.0
    metre: tuple[int, int] | None = None
    tempos: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    signs: Signs = dataclasses.field(default_factory=Signs)
    middle: tuple[float, Signs] | None = None


@dataclasses.dataclass(frozen=True)
class Instrument:
    program: int = 0
    drums: bool = False
    name: str = ""


def halves(bar: Bar) -> list[Bar]:
    """Two bars where a repeat sign stands within it."""
    place, signs = bar.middle or (0.0, bar.signs)
    if not 0 < place < bar.length:
        return [bar]
    sides: tuple[list[Written], list[Written]] = [], []
    for note in bar.notes:
        sides[note.at >= place].append(note if note.at < place else dataclasses.replace(note, at=note.at - place))
    tempos = [(at - place, tempo) for at, tempo in bar.tempos if at >= place]
    return [
        Bar(sides[0], place, bar.metre, [each for each in bar.tempos if each[0] < place], signs),
        Bar(sides[1], bar.length - place, None, tempos, bar.signs),
    ]


def score_of(bars: Sequence[Bar], instruments: Sequence[Instrument], name: str, mended: Counter[str]) -> Score:
    """bars: of all instruments together. mended: counts what was. Raises ScoreError where the score is too long."""
    order = playing_order([bar.signs for bar in bars], MOST_BARS)
    if order is None or sum(len(bars[number].notes) for number in order) > MOST_NOTES:
        mended[NO_REPEATS] += 1
        order = list(range(len(bars)))
    played = [bars[number] for number in order]
    notes = sum(len(bar.notes) for bar in played)
    if len(played) > MOST_BARS or notes > MOST_NOTES:
        raise ScoreError(f"{name}: has {len(played):,} bars and {notes:,} notes: no score is that long")
    begins = np.concatenate([[0.0], np.cumsum([bar.length for bar in played])])
    if begins[-1] > LONGEST:
        raise ScoreError(f"{name}: would last for {begins[-1]:,.0f} quarter notes: no score does")
    tempos = {0: 120.0}
    for bar, begin in zip(played, begins, strict=False):
        tempos |= {_ticks(begin + at): tempo for at, tempo in bar.tempos if SLOWEST <= tempo <= FASTEST}
    changes = sorted(tempos.items())
    changes = [each for each, before in zip(changes, [(0, 0.0), *changes], strict=False) if each[1] != before[1]]
    parts = _parts(played, begins, instruments)
    return Score(parts, RESOLUTION, tuple(changes), _metres(played, bars, order, begins, mended))


def _metres(
    played: Sequence[Bar], bars: Sequence[Bar], order: Sequence[int], begins: np.ndarray, mended: Counter[str]
) -> tuple[tuple[int, int, int], ...]:
    """The metres of the bars as they are played. A bar that is shorter or longer than its metre, such as a pickup, has
    one of its own, so that the bar lines behind it are where they are written.
    """
    written, metre = [], (4, 4)
    for bar in bars:
        if bar.metre and is_metre(*bar.metre):
            metre = bar.metre
        elif bar.metre:
            mended[ODD_METRES] += 1
        written.append(metre)
    found: dict[int, tuple[int, int]] = {0: (4, 4)}
    for place, (bar, number, begin) in enumerate(zip(played, order, begins, strict=False)):
        beats, note = written[number]
        regular = beats * 4 / note
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
    """The metre of a bar that is so many quarter notes long, in beats as near to `note` as there are."""
    for value in (note, *(2**power for power in range(2, 7))):
        beats = length * value / 4
        if abs(beats - round(beats)) < 1e-6 and is_metre(round(beats), value):
            return round(beats), value
    return None


def _parts(played: Sequence[Bar], begins: np.ndarray, instruments: Sequence[Instrument]) -> tuple[Part, ...]:
    rows: dict[int, list[tuple[float, float, int, int]]] = defaultdict(list)
    tied: dict[tuple[int, int, int], int] = {}  # instrument, pitch and end, in ticks, of rows that are tied on
    for bar, begin in zip(played, begins, strict=False):
        for note, (at, length) in zip(bar.notes, _timed(bar.notes), strict=True):
            start, stop = float(max(0.0, begin + at)), float(begin + at + length)
            mine, key = rows[note.instrument], (note.instrument, note.pitch)
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
        each = instruments[number]
        parts.append(Part(np.sort(table, order=["start", "pitch"]), each.program, each.drums, each.name))
    return tuple(parts)


def _timed(notes: Sequence[Written]) -> list[tuple[float, float]]:
    """When notes begin in their bar, and their lengths. Grace notes share a short time before the next note."""
    times = [(note.at, note.length) for note in notes]
    waiting: dict[str, list[int]] = defaultdict(list)
    for number, note in enumerate(notes):
        if not note.length:
            waiting[note.voice].append(number)
        elif note.voice in waiting:
            graces = waiting.pop(note.voice)
            places = np.cumsum([not notes[grace].chord for grace in graces]) - 1
            each = GRACE / (places[-1] + 1)
            for place, grace in zip(places, graces, strict=True):
                times[grace] = note.at - GRACE + max(0, place) * each, each
    for graces in waiting.values():  # after the last note: they lead to the next bar, or end a trill
        for grace in graces:
            times[grace] = notes[grace].at - GRACE, GRACE
    return times


def _ticks(quarters: float) -> int:
    return round(float(quarters) * RESOLUTION)
