"""One voice of an ABC tune, bar by bar."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections import Counter

from music_composer.symbolic.notation.abc_fields import ACCIDENTALS, Key
from music_composer.symbolic.notation.bars import (
    MAX_BARS,
    MAX_NOTE,
    MAX_NOTES,
    ODD_METRES,
    VELOCITY,
    Bar,
    Written,
)

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MIDDLE = 60  # MIDI pitch of the letter C
NOTE = re.compile(r"(\^\^|\^|__|_|=)?[_^=]{0,4}([A-Ga-gzx])([,']*)(\d*(?:/+\d*)*)(-?)")
SIGNS = re.compile(r'"[^"]*"|![^!]*!')  # text and decorations in a chord
CLEF = re.compile(r"(?:^|\s|clef=)(?:treble|alto|tenor|bass|[GCF][1-5])(?:[1-5])?([+-]8)?(?!\S)")
ODD_LENGTHS = "invalid lengths count as 0"
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
DRUM_CHANNEL = 10


class Voice:
    """The bars of a voice, and its current settings.

    unit: quarter notes of a note without a length; 0 until a field sets it: then the metre decides. bar: the current
    bar. at: quarter notes from its beginning.
    """

    def __init__(self, repairs: Counter[str]) -> None:
        self.repairs = repairs
        self.key: Key = {}
        self.metre: tuple[int, int] | None = (4, 4)
        self.unit, self.program, self.octaves, self.clef_octaves, self.transposed = 0.0, 0, 0, 0, 0
        self.drums, self.name = False, ""
        self.bars: list[Bar] = []
        self.count = 0
        self.bar, self.at = Bar(), 0.0
        self.ending: tuple[int, ...] = ()
        self.altered: dict[str, int] = {}  # accidentals of this bar
        self.tied: dict[str, int] = {}  # alterations of tied notes, by letter and octave
        self.last: tuple[int, float] = (0, 0.0)  # index of the last chord's first note, and its length
        self.time_factor = 1.0  # of the next note in a broken rhythm
        self.tuplets: list[tuple[float, int]] = []  # factor, and notes that are left
        self.graces: list[Written] = []

    @property
    def unit_length(self) -> float:
        """Quarter notes of a note without a length. Without an L: field the header's metre decides."""
        beats, note = self.metre or (4, 4)
        return self.unit or (0.25 if note and beats / note < 0.75 else 0.5)

    @property
    def is_empty(self) -> bool:
        return not self.bars and not self.bar.notes and not self.at

    def like(self, first: bool) -> Voice:
        """A voice with the same settings. The first one also takes over the current bar."""
        voice = Voice(self.repairs)
        voice.key, voice.metre, voice.unit, voice.program = dict(self.key), self.metre, self.unit_length, self.program
        voice.drums, voice.transposed, voice.octaves, voice.clef_octaves = (
            self.drums, self.transposed, self.octaves, self.clef_octaves
        )  # fmt: skip
        voice.bar = copy.deepcopy(self.bar) if first else voice.bar
        return voice

    def change_metre(self, metre: tuple[int, int] | None) -> None:
        if metre == (0, 0):
            self.repairs[ODD_METRES] += 1
            return
        self.metre = self.bar.metre = metre

    def midi(self, field: str, numbers: list[int]) -> None:
        number = numbers[-1] if numbers else -1
        if field == "program" and 0 <= number < 128:
            self.program = number
        elif field == "channel":
            self.drums = number == DRUM_CHANNEL
        elif field == "transpose" and abs(number) <= 60:
            self.transposed = number

    def clef(self, text: str) -> None:
        """Reads the octave, transposition and clef of a K: or V: field."""
        for field, number in re.findall(r"\b(octave|transpose)=(-?\d{1,2})\b", text):
            if field == "octave" and abs(int(number)) <= 4:
                self.octaves = int(number)
            elif field == "transpose" and abs(int(number)) <= 60:
                self.transposed = int(number)
        found = CLEF.search(re.sub(r'"[^"]*"', "", text))
        if found:
            self.clef_octaves = {"+8": 1, "-8": -1}.get(found[1] or "", 0)

    def notes(self, text: str, length: str, tie: bool) -> None:
        """Reads a note, a rest, or a chord in brackets."""
        chord = text.startswith("[")
        inside = NOTE.findall(SIGNS.sub("", text[1:-1])) if chord else [(*NOTE.findall(text)[0][:3], "", "")]
        if not inside:
            return
        quarters = self._length(length) * self.unit_length * self.time_factor * self._tuplet()
        self.time_factor = 1.0
        if chord:
            quarters *= self._length(inside[0][3])
        if quarters > MAX_NOTE:
            self.repairs[ODD_LENGTHS] += 1
            quarters = 0.0
        # Grace notes come before their note in the bar.
        self.bar.notes += self.graces if quarters else []
        self.graces = []
        first = len(self.bar.notes)
        # A tie leads to the next note only.
        ties, self.tied = self.tied, {}
        for accidental, letter, octave, _, own_tie in inside:
            if letter in "zx" or not quarters or self.count >= MAX_NOTES:
                continue
            key = letter + octave
            pitch = self._pitch(accidental, letter, octave, ties.get(key))
            if 0 <= pitch < 128:
                leads = tie or bool(own_tie)
                self.bar.notes.append(Written(self.at, quarters, pitch, VELOCITY, tied=leads))
                self.count += 1
                if leads:
                    self.tied[key] = self._alteration(letter)
        self.last = first, quarters
        self.at += quarters

    def grace(self, text: str) -> None:
        for accidental, letter, octave, *_ in NOTE.findall(text):
            pitch = self._pitch(accidental, letter, octave, None) if letter not in "zx" else -1
            if 0 <= pitch < 128 and self.count < MAX_NOTES:
                self.graces.append(Written(self.at, 0.0, pitch, VELOCITY))
                self.count += 1

    def broken(self, text: str) -> None:
        """ "a>b" lengthens a by half and shortens b by as much."""
        # > is a half, >> three quarters, >>> seven eighths.
        share = 1 - 0.5 ** min(3, len(text))
        first, quarters = self.last
        change = share if text[0] == ">" else -share
        for place in range(first, len(self.bar.notes)):
            note = self.bar.notes[place]
            self.bar.notes[place] = dataclasses.replace(note, length=note.length * (1 + change))
        self.at += quarters * change
        self.last, self.time_factor = (len(self.bar.notes), 0.0), 1 - change

    def tuplet(self, text: str) -> None:
        """ "3", "3:2" or "3:2:4": p notes in the time of q, for the next r notes."""
        numbers = [int(number[:3] or 0) for number in text.split(":")]
        count, time, reach = (numbers + [0, 0])[:3]
        beats, note = self.metre or (4, 4)
        # In compound metres a duplet takes the time of three.
        compound = note == 8 and beats % 3 == 0 and beats > 3
        time = time or TUPLETS.get(count, 3 if compound else 2)
        if 1 <= count <= 64 and 1 <= time <= 64 and len(self.tuplets) < 4:
            self.tuplets.append((time / count, min(reach or count, 256)))

    def bar_line(self, text: str, ending: str) -> None:
        if text:
            self._close()
            # Colons before the line end a repeat, colons after it begin one; :: does both.
            before = text[: len(text) - len(text.lstrip(":"))] if text.strip(":") else text[: len(text) // 2]
            after = text[len(text.rstrip(":")) :] if text.strip(":") else text[len(text) // 2 :]
            if before and self.bars:
                self.bars[-1].signs.times = len(before) + 1
            if before or after or len(text) > 1:
                self.ending = ()
            self.bar.signs.forward |= bool(after)
        if ending:
            self.ending = _endings(ending)
        self.bar.signs.ending = self.ending

    def rest_bars(self, text: str) -> None:
        beats, note = self.metre or (4, 4)
        for _ in range(min(int(text[:4] or 1), 1000)):
            self.at += beats * 4 / note
            self._close()

    def begin_part(self, name: str) -> None:
        """Begins a named part of the tune."""
        self._close()
        self.bar.signs.part = name

    def overlay(self) -> None:
        """Returns to the beginning of the bar."""
        self.bar.length = max(self.bar.length, self.at)
        self.at, self.last = 0.0, (len(self.bar.notes), 0.0)

    def sign(self, word: str) -> None:
        signs = self.bar.signs
        signs.dacapo |= word.startswith(("d.c.", "dacapo"))
        signs.dalsegno |= word.startswith("d.s.")
        signs.segno |= word == "segno"
        signs.fine |= word == "fine"

    def finished(self) -> list[Bar]:
        self._close()
        if self.bars and self.bar.signs.fine:
            self.bars[-1].signs.fine = True
        return self.bars

    def _close(self) -> None:
        self.bar.length = max(self.bar.length, self.at)
        if not self.bar.length:
            if self.bars and (self.bar.signs.dacapo or self.bar.signs.dalsegno or self.bar.signs.fine):
                last, current = self.bars[-1].signs, self.bar.signs
                last.dacapo, last.dalsegno, last.fine = current.dacapo, current.dalsegno, current.fine
                current.dacapo = current.dalsegno = current.fine = False
            return
        if len(self.bars) < MAX_BARS:
            self.bars.append(self.bar)
        self.bar, self.at, self.altered = Bar(), 0.0, {}
        self.bar.signs.ending = self.ending
        self.last, self.time_factor = (0, 0.0), 1.0

    def _pitch(self, accidental: str, letter: str, octave: str, tied: int | None) -> int:
        if accidental:
            self.altered[letter.upper()] = ACCIDENTALS[accidental]
        altered = self._alteration(letter) if accidental or tied is None else tied
        # A lower case letter is an octave higher.
        octaves = (letter.islower()) + octave.count("'") - octave.count(",") + self.octaves + self.clef_octaves
        return MIDDLE + LETTERS[letter.upper()] + altered + 12 * max(-10, min(10, octaves)) + self.transposed

    def _alteration(self, letter: str) -> int:
        return self.altered.get(letter.upper(), self.key.get(letter.upper(), 0))

    def _tuplet(self) -> float:
        factor = 1.0
        for tuplet_factor, _ in self.tuplets:
            factor *= tuplet_factor
        self.tuplets = [(tuplet_factor, left - 1) for tuplet_factor, left in self.tuplets if left > 1]
        return factor

    def _length(self, text: str) -> float:
        """ "3/2", "/" or "//4" as a factor; 0 for an invalid one."""
        if not text:
            return 1.0
        number, *below = re.split("/", text)
        digits = [number, *below]
        if max(map(len, digits)) > 4 or len(below) > 8:
            self.repairs[ODD_LENGTHS] += 1
            return 0.0
        factor = float(number or 1)
        for divisor in below:
            factor /= float(divisor or 2) or 1.0
        return factor


def _endings(text: str) -> tuple[int, ...]:
    """The numbers in "1,3" or "1-3"."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", text[:40]):
        numbers |= set(range(int(first), int(last or first) + 1))
    return tuple(sorted(numbers)) or (1,)
