"""Scores in notation, MusicXML and ABC, to our scores and back; with music21, where that is installed.

Files are handed to music21 as text and not by name: by name it would keep pickles of them.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.files import reason, whole_file
from music_composer.symbolic.midi import Reading, read_midi
from music_composer.values import NOTE, Part, Score

FORMATS = {".musicxml": "musicxml", ".xml": "musicxml", ".mxl": "musicxml", ".abc": "abc"}
RESOLUTION = 480  # ticks in a quarter note
VELOCITY = 80  # where nothing is said
LARGEST = 64 * 2**20  # bytes of text
MISSING = "MusicXML and ABC need music21: pip install 'music-composer[notation]'"


def read_score(path: Path) -> Reading:
    """A score file of any kind, by its suffix. Raises ScoreError."""
    return read_notation(path) if path.suffix.lower() in FORMATS else read_midi(path)


def read_notation(path: Path) -> Reading:
    """MusicXML, compressed or not, or ABC. Raises ScoreError, naming the file, when it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScoreError(f"{path}: cannot be opened: {reason(error)}") from error
    text = _text_of(content, path)
    try:
        from music21 import converter
    except ImportError as error:
        raise ScoreError(f"{path}: {MISSING}") from error
    try:
        return _to_score(converter.parseData(text, format=FORMATS[path.suffix.lower()]))
    except Exception as error:  # music21 has no error of its own: what a damaged byte raises is whatever it leads to
        raise ScoreError(f"{path}: cannot be read as notation: {str(error)[:100]}") from error


def write_musicxml(score: Score, path: Path) -> None:
    """The inverse, on the grid of a score's ticks. Raises OptionError without music21."""
    try:
        from music21 import chord, instrument, meter, note, stream, tempo
        from music21.musicxml.m21ToXml import GeneralObjectExporter
    except ImportError as error:
        raise OptionError(f"--musicxml: {MISSING}") from error
    whole = stream.Score()
    for number, part in enumerate(score.parts):
        staff = stream.Part(id=part.name or f"part {number + 1}")
        player = instrument.Instrument(part.name or None)
        player.partName, player.midiProgram = part.name or None, part.program
        staff.insert(0, player)
        if number == 0:
            for tick, beats in score.tempos:
                staff.insert(tick / score.resolution, tempo.MetronomeMark(number=round(beats, 2)))
        for tick, count, value in score.metres:
            staff.insert(tick / score.resolution, meter.TimeSignature(f"{count}/{value}"))
        spans = part.notes[["start", "stop"]]
        for span in np.unique(spans):
            together = part.notes[spans == span]
            pitches = [int(pitch) for pitch in together["pitch"]]
            made: Any = chord.Chord(pitches) if len(pitches) > 1 else note.Note(pitches[0])
            made.quarterLength = int(span["stop"] - span["start"]) / score.resolution
            made.volume.velocity = int(together["velocity"].max())
            staff.insert(int(span["start"]) / score.resolution, made)
        whole.insert(0, staff)
    with whole_file(path) as file:
        file.write_bytes(GeneralObjectExporter(whole).parse())


def _text_of(content: bytes, path: Path) -> str:
    """The text of a file; of a compressed one, its first score."""
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as pack:
                scores = [
                    each for each in pack.infolist()
                    if each.filename.endswith((".xml", ".musicxml")) and not each.filename.startswith("META-INF")
                ]  # fmt: skip
                content = pack.read(scores[0]) if scores and scores[0].file_size <= LARGEST else b""
        except Exception as error:  # a damaged byte raises whatever it leads to: zlib's error, a seek to nowhere
            raise ScoreError(f"{path}: is damaged: {str(error)[:100]}") from error
        if not content:
            raise ScoreError(f"{path}: holds no score, or one of more than {LARGEST // 2**20} MB")
    if len(content) > LARGEST:
        raise ScoreError(f"{path}: is {len(content) / 2**20:.0f} MB long: no score is")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    return content.decode(encoding, errors="replace")


def _to_score(music: Any) -> Reading:
    """A music21 stream to a score. Grace notes, chord symbols and percussion are left out."""
    from music21 import stream

    if isinstance(music, stream.Opus):
        music = music.scores[0]
    remarks: list[str] = []
    try:
        music = music.expandRepeats()
    except Exception:  # a repeat that leads nowhere: the score as it is written is music too
        remarks.append("its repeats cannot be played: it is read as written")
    staves = list(music.parts) or [music]
    parts = [_part(staff) for staff in staves]
    parts = [part for part in parts if len(part.notes)]
    flat = music.flatten()
    tempos = {
        _ticks(mark.offset): float(mark.getQuarterBPM() or 0) for mark in flat.getElementsByClass("MetronomeMark")
    }
    metres = {
        _ticks(sign.offset): (int(sign.numerator), int(sign.denominator))
        for sign in staves[0].flatten().getElementsByClass("TimeSignature")
    }
    tempos = {0: 120.0} | {tick: beats for tick, beats in tempos.items() if 4 <= beats <= 1000}
    metres = {0: (4, 4)} | metres
    score = Score(
        tuple(parts), RESOLUTION, tuple(sorted(tempos.items())),
        tuple((tick, *metre) for tick, metre in sorted(metres.items())),
    )  # fmt: skip
    return Reading(score, tuple(remarks))


def _part(staff: Any) -> Part:
    made = []
    for each in staff.stripTies().flatten().notes:
        if each.duration.isGrace or "Harmony" in each.classes or "Unpitched" in each.classes:
            continue
        start, stop = _ticks(each.offset), _ticks(each.offset + each.quarterLength)
        velocity = max(1, min(127, round(each.volume.velocity or VELOCITY)))
        made += [
            (start, stop, pitch.midi, velocity) for pitch in each.pitches if stop > start and 0 <= pitch.midi < 128
        ]
    return Part(np.sort(np.array(made, NOTE), order=["start", "pitch"]), name=str(staff.partName or ""))


def _ticks(quarters: Any) -> int:
    return round(float(quarters) * RESOLUTION)
