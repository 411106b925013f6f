"""Reads MusicXML into bars of written notes, at sounding pitch. Counts are limited, so that time and memory are, too.

Files that a score names are not opened, and entities are not expanded.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from music_composer.errors import ScoreError
from music_composer.symbolic.midi.instruments import drum_named, program_named
from music_composer.symbolic.midi.meta_events import is_metre
from music_composer.symbolic.notation.bars import MAX_BARS, MAX_NOTE, VELOCITY, Bar, Instrument, Written, halves
from music_composer.symbolic.notation.musicxml_elements import (
    Element,
    by_part,
    number_of,
    parsed,
    printable,
    whole_number,
)
from music_composer.symbolic.notation.musicxml_repeats import SignReader

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
BEAT_UNITS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}
LOUDNESS = {"pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126, "ffff": 127}
DYNAMICS = 0.9  # velocity for each percent: MusicXML counts in percent of a forte of 90
DRUM_CHANNEL = 10  # MusicXML counts channels, programs and drums from 1
SNARE = 38
MAX_PARTS = 1000
ODD_LENGTHS = "invalid lengths count as 0"
ODD_PITCHES = "notes of pitches that do not exist were left out"


def read_bars(text: str, name: str) -> tuple[list[Bar], list[Instrument], Counter[str]]:
    """The bars of all parts together, their instruments, and counts of repairs.

    Raises ScoreError, naming the file, where the text is no MusicXML.
    """
    root = parsed(text, name)
    parts = by_part(root)
    if not parts:
        raise ScoreError(f"{name}: cannot be read as notation: it holds no MusicXML score")
    if len(parts) > MAX_PARTS:
        raise ScoreError(f"{name}: has {len(parts):,} parts: no score has that many")
    longest = max((place + 1 for measures in parts.values() for place, _ in measures), default=0)
    if longest > MAX_BARS:
        raise ScoreError(f"{name}: has {longest:,} bars: no score is that long")
    score = _Score(root)
    bars = [Bar() for _ in range(longest)]
    rests = [0.0] * longest  # the longest measure without notes of any part
    regular = [True] * longest  # False for pickups
    for number, (part, measures) in enumerate(parts.items()):
        reader = _PartReader(score, part, first=number == 0)
        for place, measure in measures:
            bar = bars[place]
            played, length = len(bar.notes), reader.read(measure, bar)
            # A measure marked as implicit, such as a pickup, is not filled by rests.
            regular[place] &= measure.get("implicit") != "yes"
            if len(bar.notes) > played:
                bar.length = max(bar.length, length)
            else:
                rests[place] = max(rests[place], length)
    metre = 4, 4
    for bar, rest, is_regular in zip(bars, rests, regular, strict=True):
        metre = bar.metre if bar.metre and is_metre(*bar.metre) else metre
        whole = metre[0] * 4 / metre[1]
        rest = min(rest, whole)  # a whole rest fills a bar of any length; some programs write it longer than its bar
        bar.length = max(bar.length, rest if is_regular or not bar.length else 0.0) or whole
    return [half for bar in bars for half in halves(bar)], score.instruments, score.repairs


class _Score:
    """What a file says about all parts, and the instruments found in them."""

    def __init__(self, root: Element) -> None:
        self.repairs: Counter[str] = Counter()
        self.instruments: list[Instrument] = []
        self.listed = {part.get("id", ""): part for part in root.findall("part-list/score-part")}
        self.numbers: dict[tuple[object, ...], int] = {}

    def number(self, key: tuple[object, ...], instrument: Instrument) -> int:
        """The index of an instrument, which is appended if it is new."""
        if key not in self.numbers:
            self.numbers[key] = len(self.instruments)
            self.instruments.append(instrument)
        return self.numbers[key]


class _PartReader:
    """Reads the measures of one part, in written order."""

    def __init__(self, score: _Score, part: str, first: bool) -> None:
        self.score, self.part = score, part
        self.repairs = score.repairs
        listed = score.listed.get(part.partition(" ")[2], Element("score-part"))
        self.name = printable(listed.findtext("part-name", ""))
        self.players = {element.get("id", ""): element for element in listed.findall("midi-instrument")}
        self.sounds = {element.get("id", ""): element for element in listed.findall("score-instrument")}
        self.divisions, self.whole = 1.0, MAX_NOTE  # ticks in a quarter note; quarter notes in a bar
        self.transposed: dict[str, int] = {}  # semitones by staff; "" for all staves
        self.velocity = VELOCITY
        self.signs = SignReader(score.repairs) if first else None
        self.at = self.chord_at = 0.0
        self.numbers: dict[tuple[str, str, bool], int] = {}  # indices of instruments

    def read(self, measure: Element, bar: Bar) -> float:
        """Adds a measure to its bar; returns the measure's length in this part, in quarter notes."""
        self.at = self.chord_at = length = 0.0
        if bar.metre:
            self._change_metre(bar.metre)
        for element in measure:
            if element.tag == "note":
                self._note(element, bar)
            elif element.tag in ("backup", "forward"):
                length = self._length(element)
                self.at = max(0.0, self.at + (length if element.tag == "forward" else -length))
            elif element.tag == "attributes":
                self._attributes(element, bar)
            elif element.tag == "direction":
                self._direction(element, bar)
            elif element.tag == "sound":
                self._sound(element, bar, self.at)
            if self.signs:
                self.signs.read(element, bar, self.at)
            length = max(length, self.at)
        if self.signs:
            self.signs.end(bar)
        return length

    def _note(self, note: Element, bar: Bar) -> None:
        grace, chord = note.find("grace") is not None, note.find("chord") is not None
        length = 0.0 if grace else self._length(note)
        rest = note.find("rest")
        if rest is not None and rest.get("measure") == "yes":
            length = min(length, self.whole)
        # A note of a chord begins with the note before it.
        at = self.chord_at if chord else self.at
        if not chord:
            self.chord_at = at
            self.at += length
        # Cue notes are printed for orientation and not played.
        if rest is not None or note.find("cue") is not None or (not grace and not length):
            return
        staff = note.findtext("staff", "")[:8]
        instrument = note.find("instrument")
        player = instrument.get("id", "") if instrument is not None else next(iter(self.players or self.sounds), "")
        unpitched = note.find("unpitched") is not None
        drums = unpitched or whole_number(self.players.get(player), "midi-channel") == DRUM_CHANNEL
        pitch = self._drum(player) if unpitched else self._pitch(note, "" if drums else staff, drums)
        if pitch is None or not 0 <= pitch < 128:
            self.repairs[ODD_PITCHES] += 1
            return
        tied = any(tie.get("type") == "start" for tie in (*note.findall("tie"), *note.findall("notations/tied")))
        loud = number_of(note.get("dynamics"))
        velocity = self.velocity if loud is None else max(1, min(127, round(DYNAMICS * min(loud, 1000.0))))
        number = self._instrument(player, staff, drums)
        voice = f"{number} {note.findtext('voice', '')[:8]}"
        bar.notes.append(Written(at, length, pitch, velocity, voice, number, tied, chord))

    def _instrument(self, player: str, staff: str, drums: bool) -> int:
        if (player, staff, drums) in self.numbers:
            return self.numbers[player, staff, drums]
        program = whole_number(self.players.get(player), "midi-program")
        if program is None or not 1 <= program <= 128:
            sound = self.sounds.get(player, Element("none"))
            names = sound.findtext("instrument-sound", ""), sound.findtext("instrument-name", ""), self.name
            program = next(filter(None, map(program_named, names)), 0) + 1
        key = self.part, staff, 0 if drums else program, drums
        number = self.score.number(key, Instrument(0 if drums else program - 1, drums, self.name))
        self.numbers[player, staff, drums] = number
        return number

    def _drum(self, player: str) -> int:
        drum = whole_number(self.players.get(player), "midi-unpitched")
        if drum is not None:
            return drum - 1
        found = drum_named(self.sounds.get(player, Element("none")).findtext("instrument-name", "") or self.name)
        if found is None:
            self.repairs["notes of drums without a name are played as a snare"] += 1
        return SNARE if found is None else found

    def _pitch(self, note: Element, staff: str, drums: bool) -> int | None:
        step, octave = STEPS.get(note.findtext("pitch/step", "").strip()), number_of(note.findtext("pitch/octave"))
        alter = number_of(note.findtext("pitch/alter", "0"))
        if step is None or octave is None or alter is None or not -2 <= octave <= 10 or not -12 <= alter <= 12:
            return None
        transposed = 0 if drums else self.transposed.get(staff, self.transposed.get("", 0))
        return 12 * (int(octave) + 1) + step + math.floor(alter + 0.5) + transposed

    def _attributes(self, attributes: Element, bar: Bar) -> None:
        text = attributes.findtext("divisions")
        if text is not None:
            divisions = number_of(text)
            if divisions is None or not 0 < divisions <= 1e6:
                self.repairs["invalid divisions were left out"] += 1
            else:
                self.divisions = divisions
        for transpose in attributes.findall("transpose"):
            chromatic, octaves = (number_of(transpose.findtext(tag, "0")) for tag in ("chromatic", "octave-change"))
            semitones = (chromatic or 0) + 12 * (octaves or 0)
            if abs(semitones) <= 60:
                self.transposed[transpose.get("number", "")] = round(semitones)
        time = attributes.find("time")
        if time is not None and time.find("beats") is not None:
            metre = _metre(time)
            bar.metre = bar.metre or metre
            self._change_metre(metre)

    def _change_metre(self, metre: tuple[int, int]) -> None:
        self.whole = metre[0] * 4 / metre[1] if is_metre(*metre) else MAX_NOTE

    def _direction(self, direction: Element, bar: Bar) -> None:
        at = self.at + self._length(direction, "offset", True)
        for found in direction.findall("direction-type/dynamics/*"):
            self.velocity = LOUDNESS.get(found.tag, self.velocity)
        sound = direction.find("sound")
        if sound is not None:
            self._sound(sound, bar, at)
        metronome = direction.find("direction-type/metronome")
        if metronome is not None and (sound is None or sound.get("tempo") is None):
            beat = BEAT_UNITS.get(metronome.findtext("beat-unit", ""), 0.0)
            dots = len(metronome.findall("beat-unit-dot"))
            found_tempo = re.search(r"\d{1,4}(\.\d{1,4})?", metronome.findtext("per-minute", "")[:80])
            if found_tempo and beat:
                bar.tempos.append((max(0.0, at), float(found_tempo[0]) * beat * (2 - 0.5 ** min(dots, 3))))

    def _sound(self, sound: Element, bar: Bar, at: float) -> None:
        tempo, loud = number_of(sound.get("tempo")), number_of(sound.get("dynamics"))
        if tempo is not None:
            bar.tempos.append((max(0.0, at), tempo))
        if loud is not None:
            self.velocity = max(1, min(127, round(DYNAMICS * min(loud, 1000.0))))

    def _length(self, element: Element, tag: str = "duration", signed: bool = False) -> float:
        """A duration in quarter notes; 0 for an invalid one."""
        text = element.findtext(tag)
        if text is None:
            return 0.0
        value = number_of(text)
        length = 0.0 if value is None else value / self.divisions
        if value is None or abs(length) > MAX_NOTE or (length < 0 and not signed):
            self.repairs[ODD_LENGTHS] += 1
            return 0.0
        return length


def _metre(time: Element) -> tuple[int, int]:
    """The metre of a time signature, with sums such as 3+2 added up; (0, 0) for an invalid one."""
    beats, notes = (time.findall(tag) for tag in ("beats", "beat-type"))
    total, finest = 0.0, 1
    for count, note in zip(beats[:8], notes[:8], strict=False):
        counts = [number_of(part) for part in (count.text or "")[:40].split("+")]
        value = number_of(note.text)
        if value is None or None in counts or not is_metre(1, int(value)):
            return 0, 0
        total += sum(part or 0 for part in counts) / value
        finest = max(finest, int(value))
    return (round(total * finest), finest) if 0 < total < 1000 else (0, 0)
