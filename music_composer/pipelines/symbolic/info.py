"""What is in files of notes, part by part, by the numbers that `--lock-track` and `--part` take."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from music_composer.errors import ScoreError
from music_composer.progress import duration
from music_composer.reports.tables import Table, markdown
from music_composer.symbolic.fixed_parts import roll_of, with_fine_ticks
from music_composer.symbolic.midi.instruments import instrument, name_of
from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.notation.score_file import read_score
from music_composer.symbolic.options import PER_QUARTER
from music_composer.symbolic.quantization import grid_remarks
from music_composer.symbolic.roll import bars_of, onset_steps
from music_composer.values import Score

COLUMNS = ["part", "name", "instrument", "program", "notes", "pitches", "bars"]


@dataclasses.dataclass(frozen=True)
class PartInfo:
    """A part of a file. pitches, bars: the lowest and the highest, for example "48-72"; empty without notes."""

    number: int
    name: str
    instrument: str
    program: int
    notes: int
    pitches: str
    bars: str


@dataclasses.dataclass(frozen=True)
class FileInfo:
    """A file of notes. metres, tempos: in words. remarks: what is odd about it. problem: why it cannot be read."""

    path: Path
    bars: int = 0
    seconds: float = 0.0
    metres: str = ""
    tempos: str = ""
    parts: tuple[PartInfo, ...] = ()
    remarks: tuple[str, ...] = ()
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class FilesInfo:
    """Several files of notes."""

    files: tuple[FileInfo, ...]


def describe_files(paths: Sequence[Path]) -> FilesInfo:
    """Returns what is in each file; one that cannot be read gets its reason. Raises ScoreError where none can be."""
    files, errors = [], []
    for path in paths:
        try:
            files.append(describe_file(path))
        except ScoreError as error:
            errors.append(error)
            files.append(FileInfo(path, problem=str(error)))
    if len(errors) == len(paths):
        raise errors[0]
    return FilesInfo(tuple(files))


def describe_file(path: Path) -> FileInfo:
    """Returns the parts of a file. Raises ScoreError when it cannot be read."""
    reading = read_score(path)
    score = with_fine_ticks(reading.score, PER_QUARTER)
    bars = np.cumsum(bars_of(roll_of(score, PER_QUARTER))[0] == 0)
    parts = []
    for number, (part, steps) in enumerate(zip(score.parts, onset_steps(score, PER_QUARTER), strict=True)):
        pitches = f"{part.notes['pitch'].min()}-{part.notes['pitch'].max()}" if len(part.notes) else ""
        played = f"{bars[steps.min()]}-{bars[steps.max()]}" if len(part.notes) else ""
        name = name_of(part).replace("|", "/")
        parts.append(PartInfo(number, name, instrument(part), part.program, len(part.notes), pitches, played))
    return FileInfo(
        path,
        int(bars[-1]) if len(bars) else 0,
        float(seconds_at(score, score.ticks)),
        _metres(score),
        _tempos(score),
        tuple(parts),
        (*reading.remarks, *grid_remarks(score, PER_QUARTER)),
    )


def file_lines_of(info: FilesInfo) -> list[str]:
    """Returns what `describe_files` found in words: a table of the parts of each file, and what is odd about it."""
    lines: list[str] = []
    for file in info.files:
        lines += ["", *(_lines(file) if not file.problem else [f"note: {file.problem}"])]
    return lines[1:]


def _lines(file: FileInfo) -> list[str]:
    notes = sum(part.notes for part in file.parts)
    words = [
        f"{_counted(notes, 'note')} in {_counted(len(file.parts), 'part')}",
        _counted(file.bars, "bar"), _lasting(file.seconds), file.metres, file.tempos,
    ]  # fmt: skip
    rows = [[str(value) for value in dataclasses.astuple(part)] for part in file.parts]
    remarks = [f"note: {file.path}: {remark}" for remark in file.remarks]
    return [*markdown([Table(str(file.path), ", ".join(words), COLUMNS, rows)]), *remarks]


def _metres(score: Score) -> str:
    metres = list(dict.fromkeys(f"{beats}/{note}" for _, beats, note in score.metres))
    if len(metres) == 1:
        return metres[0]
    changes = _counted(len(score.metres) - 1, "change")
    return f"{', '.join(metres[:4])}{' and others' if len(metres) > 4 else ''} in {changes}"


def _tempos(score: Score) -> str:
    tempos = [tempo for _, tempo in score.tempos]
    low, high = f"{min(tempos):.0f}", f"{max(tempos):.0f}"
    if low == high:
        return f"{low} quarter notes a minute"
    return f"{low} to {high} quarter notes a minute in {_counted(len(tempos) - 1, 'change')}"


def _lasting(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
