"""Repeats, endings and jumps of MusicXML: bar lines, signs, playback instructions, or words above the staff."""

from __future__ import annotations

import re
from collections import Counter

from music_composer.symbolic.notation.bars import Bar
from music_composer.symbolic.notation.musicxml_elements import Element, number_of
from music_composer.symbolic.notation.repeats import MAX_TIMES, Signs

JUMPS = ("dacapo", "dalsegno", "segno", "fine", "tocoda", "coda")
WORDS = {
    "dacapo": re.compile(r"d\.? ?c\.?( |$)|da ?capo"),
    "dalsegno": re.compile(r"d\.? ?s\.?( |$)|dal ?segno"),
    "fine": re.compile(r"fine\W*$"),
    "tocoda": re.compile(r"to coda"),
}


class SignReader:
    """Reads the signs of one part, which apply to all, into bars. repairs: counts by what was repaired."""

    def __init__(self, repairs: Counter[str]) -> None:
        self.repairs = repairs
        self.ending: tuple[int, ...] = ()  # the current one

    def read(self, element: Element, bar: Bar, at: float) -> None:
        """Reads one element of a measure. at: quarter notes from the measure's beginning."""
        if element.tag == "barline":
            self._bar_line(element, bar, at)
        elif element.tag == "sound":
            _sound(element, bar.signs)
        elif element.tag == "direction":
            _direction(element, bar.signs)

    def end(self, bar: Bar) -> None:
        """Ends a measure."""
        bar.signs.ending = bar.signs.ending or self.ending

    def _bar_line(self, line: Element, bar: Bar, at: float) -> None:
        ending, repeat = line.find("ending"), line.find("repeat")
        if ending is not None and ending.get("type") == "start":
            self.ending = tuple(int(number) for number in re.findall(r"\d{1,2}", ending.get("number", "")[:40])) or (1,)
        if repeat is not None:
            before = bar.signs
            # A repeat within a measure divides its bar: see `bars.halves`.
            if line.get("location") == "middle" and not bar.middle:
                before.ending = before.ending or self.ending
                bar.middle, bar.signs = (at, before), Signs()
            if repeat.get("direction") == "forward":
                bar.signs.forward = True
            else:
                before.times = self._times(repeat)
        if ending is not None and ending.get("type") != "start":
            bar.signs.ending, self.ending = bar.signs.ending or self.ending, ()

    def _times(self, repeat: Element) -> int:
        times = number_of(repeat.get("times", "2"))
        if times is None or not 1 <= times <= MAX_TIMES:
            self.repairs[f"repeats of more than {MAX_TIMES} times are played twice"] += 1
            return 2
        return int(times)


def _direction(direction: Element, signs: Signs) -> None:
    """Words count only where no playback instruction stands beside them."""
    sound = direction.find("sound")
    jumps = {} if sound is None else {name for name in JUMPS if sound.get(name) is not None}
    if sound is not None:
        _sound(sound, signs)
    if jumps:
        return
    words = [
        " ".join((element.text or "")[:100].lower().split()) for element in direction.findall("direction-type/words")
    ]
    found = [name for name, pattern in WORDS.items() if any(pattern.match(text) for text in words)]
    found += [name for name in ("segno", "coda") if direction.find(f"direction-type/{name}") is not None and not found]
    for name in found:
        setattr(signs, name, True)


def _sound(sound: Element, signs: Signs) -> None:
    for name in JUMPS:
        if sound.get(name) is not None and sound.get(name) != "no":
            setattr(signs, name, True)
