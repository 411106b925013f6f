"""Reads score files of any format by their suffix, and writes MusicXML.

MusicXML is written with music21, which is optional.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import OptionError, ScoreError
from music_composer.files.atomic import whole_file
from music_composer.symbolic.midi.midi_file import Reading, content_of, read_midi
from music_composer.symbolic.notation.abc_tunes import read_tunes
from music_composer.symbolic.notation.bars import score_of
from music_composer.symbolic.notation.musicxml import read_bars
from music_composer.values import Score

FORMATS = {".musicxml": "musicxml", ".xml": "musicxml", ".mxl": "musicxml", ".abc": "abc"}
MAX_BYTES = 64 * 2**20  # of text
MAX_FILES = 10_000  # in a compressed file
SUFFIXES = (".xml", ".musicxml")
CONTAINER = "META-INF/container.xml"
OTHER_FOLDERS = ("META-INF", "__MACOSX")  # folders in a compressed file that hold no scores
ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}encoding=["']([\w.-]{1,40})""", re.I)
ENCODINGS = re.compile(r"iso-?8859|latin|windows-125|us-ascii|koi8|macroman|macintosh|shift_?jis|euc-|gb|big5", re.I)


def read_score(path: Path) -> Reading:
    """A score file of any format, by its suffix. Raises ScoreError."""
    return read_notation(path) if path.suffix.lower() in FORMATS else read_midi(path)


def read_notation(path: Path) -> Reading:
    """MusicXML, compressed or not, or ABC. Raises ScoreError, naming the file, when it cannot be read."""
    content = content_of(path, MAX_BYTES)
    try:
        text = _text_of(content, path)
        read = read_tunes if FORMATS[path.suffix.lower()] == "abc" else read_bars
        bars, instruments, repairs = read(text, str(path))
        score = score_of(bars, instruments, str(path), repairs)
    except ScoreError:
        raise
    except Exception as error:  # a fault in one file must not stop the others
        raise ScoreError(f"{path}: cannot be read as notation: {type(error).__name__} {str(error)[:100]}") from error
    return Reading(score, tuple(f"{count} {words}" for words, count in repairs.items()))


def require_musicxml() -> None:
    """Raises OptionError when MusicXML cannot be written, because music21 is missing."""
    if not importlib.util.find_spec("music21"):
        raise OptionError("--musicxml needs music21: pip install 'music-composer[notation]'")


def write_musicxml(score: Score, path: Path) -> None:
    """Writes a score as MusicXML: the inverse of `read_notation`, for notes on the grid of the score's ticks.

    Raises OptionError without music21.
    """
    require_musicxml()
    from music21 import chord, instrument, meter, note, stream, tempo
    from music21.musicxml.m21ToXml import GeneralObjectExporter

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
    """The text of a file; for a compressed file, that of its score."""
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as pack:
                content = _unpacked(pack, str(path))
        except ScoreError:
            raise
        except Exception as error:  # damage raises errors of zlib, struct, seek and more
            raise ScoreError(f"{path}: is damaged: {str(error)[:100]}") from error
    return _decoded(content)


def _decoded(content: bytes) -> str:
    # Byte order marks of UTF-16, then UTF-16 without one.
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if content[:2] in (b"<\x00", b"\x00<"):
        return content.decode("utf-16-le" if content[1] == 0 else "utf-16-be", errors="replace")
    declared = ENCODING.match(content)
    encoding = declared[1].decode() if declared else ""
    with contextlib.suppress(LookupError):
        return content.decode(encoding if ENCODINGS.match(encoding) else "utf-8-sig", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _unpacked(pack: zipfile.ZipFile, name: str) -> bytes:
    """The score that the container names, or else the first one."""
    names = pack.namelist()
    if len(names) > MAX_FILES:
        raise ScoreError(f"{name}: holds {len(names):,} files: no score does")
    scores = [entry for entry in names if entry.lower().endswith(SUFFIXES) and not entry.startswith(OTHER_FOLDERS)]
    if CONTAINER in names:
        with pack.open(CONTAINER) as file:
            container = _decoded(file.read(2**16))
        listed = re.findall(r"""<rootfile[^>]{0,500}full-path=["']([^"']{1,500})["']""", container)
        wanted = sorted(
            (entry for entry in listed if entry in names),
            key=lambda entry: not entry.lower().endswith(SUFFIXES),
        )
        scores = wanted[:1] or scores
    if not scores:
        raise ScoreError(f"{name}: holds no score")
    with pack.open(scores[0]) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ScoreError(f"{name}: holds a score of more than {MAX_BYTES // 2**20} MB: none is")
    return content
