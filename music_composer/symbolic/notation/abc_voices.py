"""One voice of an ABC tune, bar by bar."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections import Counter

from music_composer.symbolic.notation.abc_fields import ACCIDENTALS, Key
from music_composer.symbolic.notation.bars import (
    LONGEST_NOTE,
    MOST_BARS,
    MOST_NOTES,
    ODD_METRES,
    VELOCITY,
    Bar,
    Written,
)

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MIDDLE = 60  # the key of the letter C
NOTE = re.compile(r"(\^\^|\^|__|_|=)?[_^=]{0,4}([A-Ga-gzx])([,']*)(\d*(?:/+\d*)*)(-?)")
SIGNS = re.compile(r'"[^"]*"|![^!]*!')  # in a chord: words and decorations
CLEF = re.compile(r"(?:^|\s|clef=)(?:treble|alto|tenor|bass|[GCF][1-5])(?:[1-5])?([+-]8)?(?!\S)")
ODD_LENGTHS = "lengths of time that make no sense count as none"
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
DRUM_CHANNEL = 10


class Voice:
    """Its bars, and what holds for it. unit: quarter notes of a note without a length, 0 while nobody says it: then the
    metre does, as it is in the header.

    bar: the one that is being read; at: quarter notes since it began.
    """

    def __init__(self, mended: Counter[str]) -> None:
        self.mended = mended
        self.key: Key = {}
        self.metre: tuple[int, int] | None = (4, 4)
        self.unit, self.program, self.octaves, self.clef_octaves, self.transposed = 0.0, 0, 0, 0, 0
        self.drums, self.name = False, ""
        self.bars: list[Bar] = []
        self.count = 0
        self.bar, self.at = Bar(), 0.0
        self.ending: tuple[int, ...] = ()
        self.altered: dict[str, int] = {}  # in this bar
        self.tied: dict[str, int] = {}  # letters with their octaves, and how tied notes are altered
        self.last: tuple[int, float] = (0, 0.0)  # the first note of what was struck last, and how long that is
        self.stretch = 1.0  # of the next, after a dotted one
        self.tuplets: list[tuple[float, int]] = []  # factor, and how many are left
        self.graces: list[Written] = []

    @property
    def unit_length(self) -> float:
        beats, note = self.metre or (4, 4)
        return self.unit or (0.25 if note and beats / note < 0.75 else 0.5)

    @property
    def is_empty(self) -> bool:
        return not self.bars and not self.bar.notes and not self.at

    def like(self, first: bool) -> Voice:
        """A voice that begins as this one; the first takes over what was said of the beginning."""
        made = Voice(self.mended)
        made.key, made.metre, made.unit, made.program = dict(self.key), self.metre, self.unit_length, self.program
        made.drums, made.transposed, made.octaves, made.clef_octaves = (
            self.drums, self.transposed, self.octaves, self.clef_octaves
        )  # fmt: skip
        made.bar = copy.deepcopy(self.bar) if first else made.bar
        return made

    def turn_metre(self, metre: tuple[int, int] | None) -> None:
        if metre == (0, 0):
            self.mended[ODD_METRES] += 1
            return
        self.metre = self.bar.metre = metre

    def midi(self, what: str, numbers: list[int]) -> None:
        number = numbers[-1] if numbers else -1
        if what == "program" and 0 <= number < 128:
            self.program = number
        elif what == "channel":
            self.drums = number == DRUM_CHANNEL
        elif what == "transpose" and abs(number) <= 60:
            self.transposed = number

    def clef(self, words: str) -> None:
        """What a K: or V: field says of pitches."""
        for what, number in re.findall(r"\b(octave|transpose)=(-?\d{1,2})\b", words):
            if what == "octave" and abs(int(number)) <= 4:
                self.octaves = int(number)
            elif what == "transpose" and abs(int(number)) <= 60:
                self.transposed = int(number)
        found = CLEF.search(re.sub(r'"[^"]*"', "", words))
        if found:
            self.clef_octaves = {"+8": 1, "-8": -1}.get(found[1] or "", 0)

    def notes(self, text: str, length: str, tie: bool) -> None:
        """A note, a rest, or the notes of a chord in brackets."""
        chord = text.startswith("[")
        inside = NOTE.findall(SIGNS.sub("", text[1:-1])) if chord else [(*NOTE.findall(text)[0][:3], "", "")]
        if not inside:
            return
        quarters = self._length(length) * self.unit_length * self.stretch * self._tuplet()
        self.stretch = 1.0
        if chord:
            quarters *= self._length(inside[0][3])
        if quarters > LONGEST_NOTE:
            self.mended[ODD_LENGTHS] += 1
            quarters = 0.0
        self.bar.notes += self.graces if quarters else []
        self.graces = []
        first = len(self.bar.notes)
        ties, self.tied = self.tied, {}
        for accidental, letter, octave, _, own_tie in inside:
            if letter in "zx" or not quarters or self.count >= MOST_NOTES:
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
            if 0 <= pitch < 128 and self.count < MOST_NOTES:
                self.graces.append(Written(self.at, 0.0, pitch, VELOCITY))
                self.count += 1

    def broken(self, text: str) -> None:
        """ "a>b" makes a longer by half and b shorter by as much."""
        share = 1 - 0.5 ** min(3, len(text))
        first, quarters = self.last
        change = share if text[0] == ">" else -share
        for place in range(first, len(self.bar.notes)):
            note = self.bar.notes[place]
            self.bar.notes[place] = dataclasses.replace(note, length=note.length * (1 + change))
        self.at += quarters * change
        self.last, self.stretch = (len(self.bar.notes), 0.0), 1 - change

    def tuplet(self, text: str) -> None:
        """ "3", "3:2" or "3:2:4": so many in the time of so many, for the next so many."""
        numbers = [int(each[:3] or 0) for each in text.split(":")]
        count, time, reach = (numbers + [0, 0])[:3]
        beats, note = self.metre or (4, 4)
        compound = note == 8 and beats % 3 == 0 and beats > 3
        time = time or TUPLETS.get(count, 3 if compound else 2)
        if 1 <= count <= 64 and 1 <= time <= 64 and len(self.tuplets) < 4:
            self.tuplets.append((time / count, min(reach or count, 256)))

    def bar_line(self, text: str, ending: str) -> None:
        if text:
            self._close()
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
        """What follows is the part of the tune that has this name."""
        self._close()
        self.bar.signs.part = name

    def overlay(self) -> None:
        """Goes back to the beginning of the bar."""
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
                last, here = self.bars[-1].signs, self.bar.signs
                last.dacapo, last.dalsegno, last.fine = here.dacapo, here.dalsegno, here.fine
                here.dacapo = here.dalsegno = here.fine = False
            return
        if len(self.bars) < MOST_BARS:
            self.bars.append(self.bar)
        self.bar, self.at, self.altered = Bar(), 0.0, {}
        self.bar.signs.ending = self.ending
        self.last, self.stretch = (0, 0.0), 1.0

    def _pitch(self, accidental: str, letter: str, octave: str, tied: int | None) -> int:
        if accidental:
            self.altered[letter.upper()] = ACCIDENTALS[accidental]
        altered = self._alteration(letter) if accidental or tied is None else tied
        octaves = (letter.islower()) + octave.count("'") - octave.count(",") + self.octaves + self.clef_octaves
        return MIDDLE + LETTERS[letter.upper()] + altered + 12 * max(-10, min(10, octaves)) + self.transposed

    def _alteration(self, letter: str) -> int:
        return self.altered.get(letter.upper(), self.key.get(letter.upper(), 0))

    def _tuplet(self) -> float:
        factor = 1.0
        for each, _ in self.tuplets:
            factor *= each
        self.tuplets = [(each, left - 1) for each, left in self.tuplets if left > 1]
        return factor

    def _length(self, text: str) -> float:
        """ "3/2", "/", "//4": a factor; 0 where it makes no sense."""
        if not text:
            return 1.0
        number, *below = re.split("/", text)
        digits = [number, *below]
        if max(map(len, digits)) > 4 or len(below) > 8:
            self.mended[ODD_LENGTHS] += 1
            return 0.0
        factor = float(number or 1)
        for each in below:
            factor /= float(each or 2) or 1.0
        return factor


def _endings(text: str) -> tuple[int, ...]:
    """ "1,3" or "1-3"."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:-(\d{1,2}))?", text[:40]):
        numbers |= set(range(int(first), int(last or first) + 1))
    return tuple(sorted(numbers)) or (1,)
