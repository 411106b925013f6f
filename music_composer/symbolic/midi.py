"""MIDI files to scores, and scores to MIDI files.

Every track, channel and program is a part of its own, drums are kept apart, and tempo, metre and velocity are kept.
What a file gets wrong and can be mended is said in `Reading.remarks`; the rest is a ScoreError.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np

from music_composer.errors import ScoreError
from music_composer.files import reason, whole_file
from music_composer.values import NOTE, Part, Score

DRUM_CHANNEL = 9
LARGEST = 64 * 2**20  # bytes: far beyond any music
LONGEST_RUN = 20_000  # bytes in a row that mido could take for one number, and would be slow to
LONGEST = 200_000  # quarter notes, a day and more: a score beyond this is a wrong number, not music
SLOWEST, FASTEST = 4.0, 1000.0  # quarter notes a minute; three bytes of microseconds go down to 3.6
SMPTE_TEMPO = 120.0  # files that count in seconds have no quarter notes: these are as good as any
VELOCITY_OF_END = 64


@dataclasses.dataclass(frozen=True)
class Reading:
    """A score as it was read. remarks: what was mended, in words."""

    score: Score
    remarks: tuple[str, ...] = ()


def read_midi(path: Path) -> Reading:
    """Raises ScoreError, naming the file, when it is no MIDI file, or damaged."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ScoreError(f"{path}: is {size / 2**20:.0f} MB long: no MIDI file of music is")
        content = path.read_bytes()
    except OSError as error:
        raise ScoreError(f"{path}: cannot be opened: {reason(error)}") from error
    return parse_midi(content, str(path))


def parse_midi(content: bytes, name: str = "MIDI") -> Reading:
    """The bytes of a MIDI file, format 0, 1 or 2, to a score; `name` is for messages. Raises ScoreError."""
    if not content:
        raise ScoreError(f"{name}: is empty")
    if not content.startswith(b"MThd"):
        raise ScoreError(f"{name}: is no MIDI file: it does not begin with MThd")
    if re.search(rb"[\x80-\xff]{%d}" % LONGEST_RUN, content):
        raise ScoreError(f"{name}: is damaged: it holds numbers of thousands of digits")
    try:
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
    except Exception as error:  # mido has no error of its own: what a damaged byte raises is whatever it leads to
        words = str(error) or "it ends in the middle of something"
        raise ScoreError(f"{name}: is damaged: {words[:100]}") from error
    return _score_of(file, name)


def write_midi(score: Score, path: Path) -> None:
    """The inverse of `read_midi`: tempo and metre in the first track, then a track for each part."""
    file = mido.MidiFile(type=1, ticks_per_beat=score.resolution)
    file.tracks.append(_conductor(score))
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for i, part in enumerate(score.parts):
        channel = DRUM_CHANNEL if part.drums else channels[i % len(channels)]
        file.tracks.append(_track(part, channel))
    with whole_file(path) as unfinished:
        file.save(unfinished)


def _score_of(file: mido.MidiFile, name: str) -> Reading:
    if file.type not in (0, 1, 2):
        raise ScoreError(f"{name}: is damaged: its format is {file.type}; there are 0, 1 and 2")
    resolution, smpte = _resolution(file.ticks_per_beat, name)
    gathered = _Gathered()
    offset = 0
    for number, track in enumerate(file.tracks):
        end = gathered.read(number, track, offset)
        offset = end if file.type == 2 else 0  # the tracks of format 2 are pieces of their own: one after another
    tempos = ((0, SMPTE_TEMPO),) if smpte else _from_zero(gathered.tempos, (120.0,))
    score = Score(gathered.parts(), resolution, tempos, _from_zero(gathered.metres, (4, 4)))
    if score.ticks > LONGEST * resolution:
        raise ScoreError(f"{name}: is damaged: it would last for {score.ticks // resolution} quarter notes")
    return Reading(score, tuple(gathered.remarks()))


def _resolution(division: int, name: str) -> tuple[int, bool]:
    """Ticks in a quarter note, and whether they are fractions of a second instead (SMPTE)."""
    if division > 0:
        return division, False
    frames, each = -(division >> 8), division & 0xFF
    if not each or frames not in (24, 25, 29, 30):
        raise ScoreError(f"{name}: is damaged: its time division is {division & 0xFFFF:#06x}")
    return max(1, round(frames * each * 60 / SMPTE_TEMPO)), True


class _Gathered:
    """What the tracks of a file hold, while they are read."""

    def __init__(self) -> None:
        self.notes: dict[tuple[int, int, int], list[tuple[int, int, int, int]]] = defaultdict(list)
        self.names: dict[int, str] = {}
        self.tempos: dict[int, tuple[float, ...]] = {}
        self.metres: dict[int, tuple[int, ...]] = {}
        self.endless = self.instant = self.wild = 0

    def read(self, number: int, track: mido.MidiTrack, now: int) -> int:
        """Takes in a track that begins at tick `now`; returns when it ends."""
        sounding: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        programs = [0] * 16
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note].append((now, message.velocity, programs[message.channel]))
            elif message.type in ("note_on", "note_off"):
                waiting = sounding[message.channel, message.note]
                if waiting:
                    self._end((number, message.channel), message.note, waiting.pop(0), now)
            elif message.type == "program_change":
                programs[message.channel] = message.program
            elif message.type == "track_name":
                self.names.setdefault(number, message.name)
            elif message.type == "set_tempo":
                self._tempo(now, message.tempo)
            elif message.type == "time_signature":
                self.metres[now] = (max(1, message.numerator), message.denominator)
        for (channel, pitch), waiting in sounding.items():
            for begun in waiting:
                self.endless += 1
                self._end((number, channel), pitch, begun, now)
        return now

    def _end(self, part: tuple[int, int], pitch: int, begun: tuple[int, int, int], stop: int) -> None:
        start, velocity, program = begun
        self.instant += stop == start
        self.notes[*part, program].append((start, max(stop, start + 1), pitch, velocity))

    def _tempo(self, now: int, microseconds: int) -> None:
        tempo = 60e6 / microseconds if microseconds else 0.0
        if SLOWEST <= tempo <= FASTEST:
            self.tempos[now] = (tempo,)
        else:
            self.wild += 1

    def parts(self) -> tuple[Part, ...]:
        made = []
        for (number, channel, program), notes in sorted(self.notes.items()):
            table = np.array(notes, NOTE)
            table = table[np.lexsort((table["pitch"], table["start"]))]
            made.append(Part(table, program, channel == DRUM_CHANNEL, self.names.get(number, "")))
        return tuple(made)

    def remarks(self) -> Iterator[str]:
        for count, words in (
            (self.endless, "that never end: they end with their track"),
            (self.instant, "of no length: they were given a tick"),
        ):
            if count:
                yield f"{count} notes {words}"
        if self.wild:
            yield f"{self.wild} tempos that make no sense were left out"


def _from_zero(found: dict[int, Any], first: tuple[Any, ...]) -> tuple[Any, ...]:
    """Changes in the order of time; what holds at the beginning is `first`, unless it is said."""
    return tuple((tick, *value) for tick, value in sorted({0: first, **found}.items()))


def _conductor(score: Score) -> mido.MidiTrack:
    events: list[tuple[int, mido.MetaMessage]] = []
    for tick, tempo in score.tempos:
        events.append((tick, mido.MetaMessage("set_tempo", tempo=round(60e6 / tempo))))
    for tick, beats, note in score.metres:
        events.append((tick, mido.MetaMessage("time_signature", numerator=beats, denominator=note)))
    return _timed(events)


def _track(part: Part, channel: int) -> mido.MidiTrack:
    events: list[tuple[int, Any]] = []
    if part.name:
        # MIDI says nothing of alphabets; mido writes Latin-1 alone.
        name = part.name.encode("latin1", "replace").decode("latin1")
        events.append((0, mido.MetaMessage("track_name", name=name)))
    events.append((0, mido.Message("program_change", channel=channel, program=part.program)))
    played = []
    for start, stop, pitch, velocity in part.notes.tolist():
        played.append((start, 1, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
        played.append((stop, 0, mido.Message("note_off", channel=channel, note=pitch, velocity=VELOCITY_OF_END)))
    # A note that ends where the same is struck again ends first.
    played.sort(key=lambda event: event[:2])
    return _timed([*events, *((tick, message) for tick, _, message in played)])


def _timed(events: list[tuple[int, Any]]) -> mido.MidiTrack:
    """Messages at ticks, to messages after each other."""
    track = mido.MidiTrack()
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track
