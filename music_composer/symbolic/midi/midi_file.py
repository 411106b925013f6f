"""Reads MIDI files into scores, and writes them.

Each combination of track, channel and program becomes a part. Drums have parts of their own. Tempo, metre, velocity,
control changes and pitch bends are kept. Faults that can be repaired are listed in `Reading.remarks`; all others raise
ScoreError.
"""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import ScoreError
from music_composer.files.atomic import reason, whole_file
from music_composer.symbolic.midi.channels import BANK, DRUM_BANKS, DRUM_CHANNEL, PROGRAM, Channels, Messages, place_of
from music_composer.symbolic.midi.container import MAX_BYTES, Container, read_container
from music_composer.symbolic.midi.events import CONTROL_CHANGE, NOTE_OFF, NOTE_ON
from music_composer.symbolic.midi.meta_events import (
    METRE,
    NAME,
    SYSEX,
    TEMPO,
    gs_rhythm,
    is_gs,
    metre_of,
    name_of,
    tempo_of,
    xg_rhythm,
)
from music_composer.symbolic.midi.note_pairing import LOST, ended, paired
from music_composer.symbolic.midi.tempo import seconds_of, without_long_rests
from music_composer.symbolic.midi.writing import midi_bytes
from music_composer.values import NOTE, Part, Score, no_bends, no_controls

MAX_QUARTERS = 50_000  # quarter notes, seven hours at 120 bpm: a longer score has a wrong number in it
MAX_SECONDS = 24 * 3600
MAX_TICK = 2**40  # far beyond MAX_QUARTERS, and far from an overflow
MAX_CHANGES = 4_000_000  # control changes, counted once for each part that gets them
SMPTE_TEMPO = 120.0  # files that count in seconds have no quarter notes: any tempo would do
FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30 / 1.001, 30: 30.0}
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123
NEVER = 2**62


@dataclasses.dataclass(frozen=True)
class Reading:
    """A score as it was read. remarks: what was repaired, as text."""

    score: Score
    remarks: tuple[str, ...] = ()


def read_midi(path: Path) -> Reading:
    """The score of a MIDI file. Raises ScoreError, naming the file, when it is no MIDI file, or damaged."""
    return parse_midi(content_of(path, MAX_BYTES), str(path))


def content_of(path: Path, largest: int) -> bytes:
    """The bytes of a score file. Raises ScoreError where it cannot be opened, is no regular file, or is too large."""
    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode) or stat.S_ISCHR(status.st_mode):
            raise ScoreError(f"{path}: cannot be opened: it is a pipe or a device, not a file")
        if status.st_size > largest:
            raise ScoreError(f"{path}: is {status.st_size / 2**20:.0f} MB long: no score of music is")
        return path.read_bytes()
    except OSError as error:
        raise ScoreError(f"{path}: cannot be opened: {reason(error)}") from error


def parse_midi(content: bytes, name: str = "MIDI") -> Reading:
    """The score in the bytes of a MIDI file of format 0, 1 or 2.

    name: for messages. Raises ScoreError.
    """
    try:
        return _score_of(read_container(content, name), name)
    except ScoreError:
        raise
    except Exception as error:  # a fault in one file must not stop the others
        raise ScoreError(f"{name}: is damaged: {type(error).__name__} {str(error)[:100]}") from error


def write_midi(score: Score, path: Path) -> None:
    """The inverse of `read_midi`: tempos and metres in the first track, then a track for each part."""
    content = midi_bytes(score)
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)


def _score_of(container: Container, name: str) -> Reading:
    resolution, smpte = _resolution(container.division, name)
    gathered = _Gathered(container, resolution)
    tempos = ((0, SMPTE_TEMPO),) if smpte else _from_zero(gathered.metas(TEMPO, tempo_of), (120.0,))
    metres = _from_zero(gathered.metas(METRE, metre_of), (4, 4))
    score = Score(gathered.parts(), resolution, tempos, metres)
    if not score.count and container.damaged:
        raise ScoreError(f"{name}: is damaged: what can be read of it has no complete note")
    # Before the length is checked: one wrong delta time must not make a file unreadable.
    score, cut = without_long_rests(score)
    if score.ticks > MAX_QUARTERS * resolution or seconds_of(score) > MAX_SECONDS:
        raise ScoreError(
            f"{name}: is damaged: it would last for {score.ticks // resolution:,} quarter notes, "
            f"{seconds_of(score) / 3600:.0f} hours"
        )
    return Reading(score, (*(f"{count} {words}" for words, count in gathered.repairs.items() if count), *cut))


def _resolution(division: int, name: str) -> tuple[int, bool]:
    """Ticks in a quarter note, and whether the file counts in fractions of a second (SMPTE) instead.

    Raises ScoreError for an undefined division.
    """
    if division > 0:
        return division, False
    frames, per_frame = -(division >> 8), division & 0xFF
    if not per_frame or frames not in FRAME_RATES:
        raise ScoreError(f"{name}: is damaged: its time division is {division & 0xFFFF:#06x}")
    return max(1, round(FRAME_RATES[frames] * per_frame * 60 / SMPTE_TEMPO)), True


class _Gathered:
    """The contents of all tracks of a file on one time line."""

    def __init__(self, container: Container, resolution: int) -> None:
        self.container, self.resolution = container, resolution
        self.repairs = container.repairs
        ends = np.array([track.end for track in container.tracks], np.int64)
        apart = container.format == 2  # the tracks of format 2 are pieces: they follow one another
        self.offsets = np.concatenate([[0], np.cumsum(ends)[:-1]]) if apart and len(ends) else np.zeros_like(ends)
        self.ends = np.minimum(self.offsets + ends, MAX_TICK)
        self.messages = self._messages(apart)

    def metas(self, kind: int, value_of: Any) -> dict[int, tuple[Any, ...]]:
        """Values of one kind of meta event by their ticks. Of two at one tick the later track's is kept."""
        found = {}
        for number, track in enumerate(self.container.tracks):
            for meta in track.metas:
                if meta.kind == kind:
                    value = value_of(meta.data)
                    tick = min(MAX_TICK, int(self.offsets[number]) + meta.tick)
                    found[tick] = value if isinstance(value, tuple) else (value,)
        return found

    def parts(self) -> tuple[Part, ...]:
        """The notes of the file as parts."""
        messages = self.messages
        indices = np.flatnonzero((messages.kinds == NOTE_ON) | (messages.kinds == NOTE_OFF))
        if not len(indices):
            return ()
        # A sort key: 12 bits of channel with port, below the track.
        channel_keys = (messages.tracks[indices] << 12) + messages.channels[indices]
        velocities = np.where(messages.kinds[indices] == NOTE_ON, messages.two[indices], 0)
        notes = paired((channel_keys << 7) + messages.one[indices], messages.ticks[indices], velocities)
        notes[:, 0] = indices[notes[:, 0]]
        notes = self._whole(notes)
        if not len(notes):
            return ()
        begun = notes[:, 0]
        table = np.zeros(len(notes), NOTE)
        table["start"], table["stop"] = notes[:, 1], self._stops(notes)
        table["pitch"], table["velocity"] = messages.one[begun], notes[:, 3]
        return self._parted(table, begun)

    def _parted(self, table: np.ndarray, begun: np.ndarray) -> tuple[Part, ...]:
        """Divides notes by track, channel, program and drums. begun: indices of the messages that begin the notes."""
        messages = self.messages
        channels, rhythm = Channels(messages, begun), _Rhythm(self)
        names = [next((m.data for m in track.metas if m.kind == NAME), b"") for track in self.container.tracks]
        keys = (messages.tracks[begun] << 12) + messages.channels[begun]
        order = np.lexsort((table["pitch"], table["start"], keys))
        parts: list[Part] = []
        room = MAX_CHANGES
        for mine in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            track, channel = int(messages.tracks[begun[mine[0]]]), int(messages.channels[begun[mine[0]]])
            settings = channels.settings_of(track, channel)
            places = place_of(table["start"][mine], begun[mine])
            programs = settings.at(PROGRAM, places)
            drums = rhythm.drums(channel, table["start"][mine], settings.at(BANK, places))
            # One part for each program, with drums apart.
            kinds = 2 * programs + drums
            controls, bends = settings.controls, settings.bends
            for kind in np.unique(kinds).tolist():
                room -= len(controls) + len(bends)
                if room < 0:
                    self.repairs["parts share too many control changes: theirs were left out"] += 1
                    controls, bends, room = no_controls(), no_bends(), room + len(controls) + len(bends)
                notes, name = table[mine[kinds == kind]], name_of(names[track])
                parts.append(Part(notes, kind // 2, bool(kind % 2), name, controls, bends))
        return tuple(parts)

    def _whole(self, notes: np.ndarray) -> np.ndarray:
        """Drops notes without an end in a track that is cut off."""
        cut = np.array([track.cut for track in self.container.tracks])
        left = cut[self.messages.tracks[notes[:, 0]]] & (notes[:, 2] == LOST) & (notes[:, 4] == LOST)
        self.repairs["notes that sound where their track is cut off were left out"] += int(left.sum())
        return np.asarray(notes[~left])

    def _stops(self, notes: np.ndarray) -> np.ndarray:
        """The tick at which each note stops, at least one after its start."""
        messages = self.messages
        silenced = np.full(len(notes), NEVER)
        channels = messages.channels[notes[:, 0]]
        ends = (messages.kinds == CONTROL_CHANGE) & np.isin(messages.one, (ALL_SOUND_OFF, ALL_NOTES_OFF))
        for channel in np.unique(messages.channels[ends]):
            when = np.append(np.sort(messages.ticks[ends & (messages.channels == channel)]), NEVER)
            mine = channels == channel
            silenced[mine] = when[np.searchsorted(when, notes[mine, 1], side="right")]
        stops, endless = ended(notes, silenced, self.resolution, self.ends[messages.tracks[notes[:, 0]]])
        instant = stops <= notes[:, 1]
        self.repairs["notes never end: each ends at the next onset of its pitch, or after a while"] += int(
            endless.sum()
        )
        self.repairs["notes of no length were given a tick"] += int(instant.sum())
        return np.maximum(stops, notes[:, 1] + 1)

    def _messages(self, apart: bool) -> Messages:
        tracks = self.container.tracks
        counts = [len(track.ticks) for track in tracks]
        numbers = np.repeat(np.arange(len(tracks)), counts)
        ticks = np.concatenate([np.zeros(0, np.int64), *(track.ticks for track in tracks)])
        ticks = np.minimum(ticks + self.offsets[numbers], MAX_TICK) if len(ticks) else ticks
        port, status, one, two = np.concatenate([np.zeros((0, 4), np.uint8), *(track.messages for track in tracks)]).T
        # Pieces of format 2 must not share channels: each track gets a port of its own.
        ports = numbers if apart else port.astype(np.int64)
        return Messages(ticks, numbers, ports % 128 * 16 + (status & 15), status >> 4, one, two)


class _Rhythm:
    """The channels that play drums, and from which tick on."""

    def __init__(self, gathered: _Gathered) -> None:
        self.switched: dict[int, list[tuple[int, bool]]] = {}
        self.gs = self.xg = False
        for number, track in enumerate(gathered.container.tracks):
            for meta in track.metas:
                if meta.kind != SYSEX:
                    continue
                gs = is_gs(meta.data)
                self.gs, self.xg = self.gs or gs, self.xg or not gs
                change = gs_rhythm(meta.data) or xg_rhythm(meta.data)
                if change:
                    tick = min(MAX_TICK, int(gathered.offsets[number]) + meta.tick)
                    self.switched.setdefault(change[0], []).append((tick, change[1]))

    def drums(self, channel: int, ticks: np.ndarray, banks: np.ndarray) -> np.ndarray:
        """Whether notes are drums, bool (notes,). banks: the bank that is selected at each."""
        drums = np.full(len(ticks), channel % 16 == DRUM_CHANNEL)
        if self.xg or not self.gs:  # in GS these banks have melodic instruments
            drums |= np.isin(banks, DRUM_BANKS)
        switched = sorted(self.switched.get(channel % 16, []), key=lambda change: change[0])
        if switched:
            number = np.searchsorted([tick for tick, _ in switched], ticks, side="right") - 1
            drums = np.where(number >= 0, np.array([on for _, on in switched])[number], drums)
        return drums


def _from_zero(found: dict[int, Any], first: tuple[Any, ...]) -> tuple[Any, ...]:
    """Changes in order of time, with the default `first` at tick 0 unless the file has a change there."""
    return tuple((tick, *value) for tick, value in sorted({0: first, **found}.items()))
