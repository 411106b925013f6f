"""Reads ABC tune books: all tunes, one after another. Counts are limited, so that time and memory are, too."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator

from music_composer.errors import ScoreError
from music_composer.symbolic.notation.abc_fields import key_of, metre_of, name_of_voice, tempo_of, unit_of
from music_composer.symbolic.notation.abc_voices import Voice
from music_composer.symbolic.notation.bars import MAX_BARS, MAX_NOTES, MAX_QUARTERS, Bar, Instrument
from music_composer.symbolic.notation.repeats import order_of_parts

MAX_CHARACTERS = 8 * 2**20  # characters
MAX_TOKENS = 1_000_000
HEADER_RANKS = {"Q": 1, "V": 2}  # fields that depend on others, wherever they stand in the header
FIELD = re.compile(r"([A-Za-z]):(?![|:])\s*(.*)")
TOKEN = re.compile(
    r"""(?P<inline>\[[A-Za-z]:[^\]]{0,200}\])
    | (?P<quoted>"[^"]*"?)
    | (?P<sign>![^!\s]{0,40}!|\+[A-Za-z.]{2,40}\+)
    | (?P<grace>\{[^}]*\}?)
    | (?P<bar>:*\|[\]|]*(?::+|(?=\d)|)|\[\|:*|::+)(?P<ending>\d[\d,.-]*)?
    | (?P<volta>\[(?P<numbers>\d[\d,.-]*))
    | (?P<tuplet>\(\d+(?::\d*){0,2})
    | (?P<rests>[ZX]\d*)
    | (?P<notes>\[[^\]|]{0,400}\]|[_^=]{0,4}[A-Ga-gzx][,']*)(?P<length>\d*(?:/+\d*)*)(?P<tie>-?)
    | (?P<broken>>+|<+)
    | (?P<overlay>&)
    | .""",
    re.X,
)


def read_tunes(text: str, name: str) -> tuple[list[Bar], list[Instrument], Counter[str]]:
    """The bars of all tunes in playing order, their instruments, and counts of repairs.

    Raises ScoreError, naming the file, where there is no tune.
    """
    if len(text) > MAX_CHARACTERS:
        raise ScoreError(f"{name}: is {len(text) / 2**20:.0f} MB long: no tune book is")
    repairs: Counter[str] = Counter()
    bars: list[Bar] = []
    book = _Book(name, repairs)
    count = read = 0
    notes = quarters = 0.0
    for header, body in _tunes(text):
        count += 1
        if book.room < 0:
            continue
        tune = book.read(header, body)
        # Repeats are written out here: bars of the book need no signs.
        order = order_of_parts([bar.signs for bar in tune], book.parts, MAX_BARS)
        if order is None:
            repairs["tunes have repeats without an end, and are read as written"] += 1
        played = [dataclasses.replace(tune[number], signs=Bar().signs) for number in order or range(len(tune))]
        notes += sum(len(bar.notes) for bar in played)
        quarters += sum(bar.length for bar in played)
        if count > 1 and (len(bars) + len(played) > MAX_BARS or notes > MAX_NOTES or quarters > MAX_QUARTERS):
            book.room = -1
            continue
        bars += played
        read += 1
    if not count:
        raise ScoreError(f"{name}: cannot be read as notation: there is no tune in it, which begins with X: and K:")
    if read < count:
        repairs[f"tunes of {count} are read: the book is too long"] += read
    elif read > 1:
        repairs["tunes are read, one after another"] += read
    return bars, book.instruments, repairs


def _tunes(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The header lines of each tune, after those of the whole book, and its body lines."""
    common: list[str] = []
    header: list[str] = []
    body: list[str] = []
    state = "before"
    # A tune without X: is a book of its own.
    books = re.search(r"^X:", text, re.M) is not None
    in_text = False  # within a block of text
    for line in text.splitlines():
        if in_text and not line.startswith("X:"):
            in_text = not line.startswith("%%end")
        elif line.startswith("%%begin"):
            in_text = True
        # X: begins a tune, even inside a block of text.
        elif line.startswith("X:"):
            in_text = False
            if body:
                yield common + header, body
            header, body, state = [], [], "header"
        elif state == "before" and books:
            common.append(line)
        elif not line.strip():
            state = "between" if state == "body" else state
        elif state in ("header", "before"):
            header.append(line)
            state = "body" if line.startswith("K:") else state
        elif state == "body":
            body.append(line)
    if body:
        yield common + header, body


class _Book:
    """Reads tunes.

    instruments: of all tunes, by first appearance. parts: the order of parts in the tune's header. common: the settings
    of the tune's header, which all its voices start with.
    """

    def __init__(self, name: str, repairs: Counter[str]) -> None:
        self.name, self.repairs = name, repairs
        self.instruments: list[Instrument] = []
        self.numbers: dict[tuple[int, Instrument], int] = {}
        self.room = MAX_TOKENS
        self.voices: dict[str, Voice] = {}
        self.voice = self.common = Voice(repairs)
        self.parts = ""

    def read(self, header: list[str], body: list[str]) -> list[Bar]:
        self.voices, self.parts = {}, ""
        self.voice = self.common = Voice(self.repairs)
        # sorted is stable: fields of equal rank keep their order.
        for line in sorted(header, key=_rank_in_header):
            self._line(line, header=True)
        if not self.voices:
            self._change_voice("")
        self.voice = self._first()
        for line in body:
            self._line(line)
        return self._together()

    def _together(self) -> list[Bar]:
        """The bars of all voices; repeats are those of the first."""
        voices = [voice.finished() for voice in self.voices.values()]
        bars = [Bar() for _ in range(max(map(len, voices), default=0))]
        for state, (voice, of_voice) in enumerate(zip(self.voices.values(), voices, strict=True)):
            instrument = Instrument(0 if voice.drums else voice.program, voice.drums, voice.name)
            number = self.numbers.setdefault((state, instrument), len(self.instruments))
            if number == len(self.instruments):
                self.instruments.append(instrument)
            for bar, mine in zip(bars, of_voice, strict=False):
                bar.notes += [dataclasses.replace(note, instrument=number, voice=str(number)) for note in mine.notes]
                bar.length = max(bar.length, mine.length)
                bar.metre = bar.metre or mine.metre
                bar.tempos += mine.tempos
                bar.signs = bar.signs if state else mine.signs
        # A tune without a tempo must not continue in that of the tune before.
        if bars and not bars[0].tempos:
            bars[0].tempos.append((0.0, 120.0))
        return bars

    def _line(self, line: str, header: bool = False) -> None:
        midi = re.match(r"(?:%%|I:)\s*MIDI\s+(program|channel|transpose)\s+([-\d\s]{1,20})$", line.strip())
        field = FIELD.match(line)
        if midi:
            self.voice.midi(midi[1], [int(number) for number in midi[2].split()])
        elif line.startswith(("%", "+:")):
            return
        elif field:
            self._field(field[1], field[2].partition("%")[0].strip())
        elif not header:
            self._music(re.sub(r"(?<!\\)%.*", "", line))

    def _field(self, letter: str, text: str) -> None:
        voice = self.voice
        if letter == "V":
            self._change_voice(text)
        elif letter == "P" and self.voices:
            self._first().begin_part(text)
        elif letter == "P":
            self.parts = text
        elif letter == "K":
            voice.key = key_of(text, voice.key)
            voice.clef(text)
        elif letter == "L":
            voice.unit = unit_of(text) or voice.unit
        elif letter == "M":
            voice.change_metre(metre_of(text))
        elif letter == "Q":
            tempo = tempo_of(text, voice.unit_length)
            if tempo:
                voice.bar.tempos.append((voice.at, tempo))

    def _change_voice(self, text: str) -> None:
        """Continues with another voice. A new one starts with the header's settings."""
        name = text.split()[0] if text.split() else ""
        if name not in self.voices:
            if len(self.voices) >= 64:
                self.repairs["voices beyond the 64th were left out"] += 1
                return
            # The voice of lines before the first V: field, if it has music.
            unnamed = self.voices.get("")
            if unnamed and unnamed.is_empty:
                self.voices = {name: unnamed}
            else:
                self.voices[name] = self.common.like(first=not self.voices)
        self.voice = self.voices[name]
        self.voice.name = name_of_voice(text) or self.voice.name
        self.voice.clef(text)

    def _first(self) -> Voice:
        """The voice that has the repeats and parts."""
        return next(iter(self.voices.values()))

    def _music(self, line: str) -> None:
        for token in TOKEN.finditer(line):
            self.room -= 1
            if self.room < 0:
                raise ScoreError(f"{self.name}: holds more than {MAX_TOKENS:,} signs: no tune book does")
            voice = self.voice
            if token["notes"]:
                voice.notes(token["notes"], token["length"], bool(token["tie"]))
            elif token["bar"]:
                voice.bar_line(token["bar"], token["ending"] or "")
            elif token["inline"]:
                self._field(token["inline"][1], token["inline"][3:-1].strip())
            elif token["volta"]:
                voice.bar_line("", token["numbers"])
            elif token["tuplet"]:
                voice.tuplet(token["tuplet"][1:])
            elif token["broken"]:
                voice.broken(token["broken"])
            elif token["grace"]:
                voice.grace(token["grace"])
            elif token["rests"]:
                voice.rest_bars(token["rests"][1:])
            elif token["overlay"]:
                voice.overlay()
            elif token["sign"]:
                voice.sign(token["sign"][1:-1].lower())


def _rank_in_header(line: str) -> int:
    """Header lines are read by rank: a line comes after those it depends on."""
    if line.startswith(("%%", "I:")):
        return HEADER_RANKS["V"]
    return HEADER_RANKS.get(line[:1], 0)
