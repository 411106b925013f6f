"""ABC tune books to scores: all tunes, one after another. Work and memory are bounded by counts."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator

from music_composer.errors import ScoreError
from music_composer.symbolic.notation.abc_fields import key_of, metre_of, name_of_voice, tempo_of, unit_of
from music_composer.symbolic.notation.abc_voices import Voice
from music_composer.symbolic.notation.bars import LONGEST, MOST_BARS, MOST_NOTES, Bar, Instrument
from music_composer.symbolic.notation.repeats import order_of_parts

LARGEST = 8 * 2**20  # characters
MOST_TOKENS = 1_000_000
LAST_OF_HEADER = {"Q": 1, "V": 2}  # what is read after what it rests on, wherever it stands in a header
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
    """The bars of all tunes as they are played, repeats written out. Raises ScoreError where there is no tune."""
    if len(text) > LARGEST:
        raise ScoreError(f"{name}: is {len(text) / 2**20:.0f} MB long: no tune book is")
    mended: Counter[str] = Counter()
    bars: list[Bar] = []
    book = _Book(name, mended)
    found = read = 0
    notes = quarters = 0.0
    for header, body in _tunes(text):
        found += 1
        if book.room < 0:
            continue
        tune = book.read(header, body)
        order = order_of_parts([bar.signs for bar in tune], book.parts, MOST_BARS)
        if order is None:
            mended["tunes have repeats without an end, and are read as written"] += 1
        played = [dataclasses.replace(tune[number], signs=Bar().signs) for number in order or range(len(tune))]
        notes += sum(len(bar.notes) for bar in played)
        quarters += sum(bar.length for bar in played)
        if found > 1 and (len(bars) + len(played) > MOST_BARS or notes > MOST_NOTES or quarters > LONGEST):
            book.room = -1
            continue
        bars += played
        read += 1
    if not found:
        raise ScoreError(f"{name}: cannot be read as notation: there is no tune in it, which begins with X: and K:")
    if read < found:
        mended[f"tunes of {found} are read: the book is too long"] += read
    elif read > 1:
        mended["tunes are read, one after another"] += read
    return bars, book.instruments, mended


def _tunes(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of each tune's header, after those that hold for all tunes, and of its body."""
    common: list[str] = []
    header: list[str] = []
    body: list[str] = []
    place = "before"
    books = re.search(r"^X:", text, re.M) is not None
    words = False  # within a block of text, which is no music
    for line in text.splitlines():
        if words and not line.startswith("X:"):
            words = not line.startswith("%%end")
        elif line.startswith("%%begin"):
            words = True
        elif line.startswith("X:"):
            words = False
            if body:
                yield common + header, body
            header, body, place = [], [], "header"
        elif place == "before" and books:
            common.append(line)
        elif not line.strip():
            place = "between" if place == "body" else place
        elif place in ("header", "before"):
            header.append(line)
            place = "body" if line.startswith("K:") else place
        elif place == "body":
            body.append(line)
    if body:
        yield common + header, body


class _Book:
    """Reads tunes. instruments: of all of them, in the order in which they are met. parts: in which order those of the
    tune are played, as its header says. common: what its header says of all voices.
    """

    def __init__(self, name: str, mended: Counter[str]) -> None:
        self.name, self.mended = name, mended
        self.instruments: list[Instrument] = []
        self.numbers: dict[tuple[int, Instrument], int] = {}
        self.room = MOST_TOKENS
        self.voices: dict[str, Voice] = {}
        self.voice = self.common = Voice(mended)
        self.parts = ""

    def read(self, header: list[str], body: list[str]) -> list[Bar]:
        self.voices, self.parts = {}, ""
        self.voice = self.common = Voice(self.mended)
        for line in sorted(header, key=_place_in_header):
            self._line(line, header=True)
        if not self.voices:
            self._turn_to("")
        self.voice = self._first()
        for line in body:
            self._line(line)
        return self._together()

    def _together(self) -> list[Bar]:
        """The bars of all voices; the first says where repeats are."""
        voices = [voice.finished() for voice in self.voices.values()]
        bars = [Bar() for _ in range(max(map(len, voices), default=0))]
        for place, (voice, of_voice) in enumerate(zip(self.voices.values(), voices, strict=True)):
            instrument = Instrument(0 if voice.drums else voice.program, voice.drums, voice.name)
            number = self.numbers.setdefault((place, instrument), len(self.instruments))
            if number == len(self.instruments):
                self.instruments.append(instrument)
            for bar, mine in zip(bars, of_voice, strict=False):
                bar.notes += [dataclasses.replace(note, instrument=number, voice=str(number)) for note in mine.notes]
                bar.length = max(bar.length, mine.length)
                bar.metre = bar.metre or mine.metre
                bar.tempos += mine.tempos
                bar.signs = bar.signs if place else mine.signs
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

    def _field(self, letter: str, words: str) -> None:
        voice = self.voice
        if letter == "V":
            self._turn_to(words)
        elif letter == "P" and self.voices:
            self._first().begin_part(words)
        elif letter == "P":
            self.parts = words
        elif letter == "K":
            voice.key = key_of(words, voice.key)
            voice.clef(words)
        elif letter == "L":
            voice.unit = unit_of(words) or voice.unit
        elif letter == "M":
            voice.turn_metre(metre_of(words))
        elif letter == "Q":
            tempo = tempo_of(words, voice.unit_length)
            if tempo:
                voice.bar.tempos.append((voice.at, tempo))

    def _turn_to(self, words: str) -> None:
        """Goes on with another voice; one that is new begins as the header says."""
        name = words.split()[0] if words.split() else ""
        if name not in self.voices:
            if len(self.voices) >= 64:
                self.mended["voices beyond the 64th were left out"] += 1
                return
            unnamed = self.voices.get("")
            if unnamed and unnamed.is_empty:
                self.voices = {name: unnamed}
            else:
                self.voices[name] = self.common.like(first=not self.voices)
        self.voice = self.voices[name]
        self.voice.name = name_of_voice(words) or self.voice.name
        self.voice.clef(words)

    def _first(self) -> Voice:
        """The voice that says where repeats and parts are."""
        return next(iter(self.voices.values()))

    def _music(self, line: str) -> None:
        for token in TOKEN.finditer(line):
            self.room -= 1
            if self.room < 0:
                raise ScoreError(f"{self.name}: holds more than {MOST_TOKENS:,} signs: no tune book does")
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


def _place_in_header(line: str) -> int:
    if line.startswith(("%%", "I:")):
        return LAST_OF_HEADER["V"]
    return LAST_OF_HEADER.get(line[:1], 0)
