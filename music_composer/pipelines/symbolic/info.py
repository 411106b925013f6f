"""What is in files of notes, part by part, by the numbers that `--lock-track` and `--part` take."""

from __future__ import annotations

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


def describe_files(paths: Sequence[Path]) -> list[str]:
    """Lines on each file; one that cannot be read gets its reason. Raises ScoreError where none can be."""
    lines: list[str] = []
    errors = []
    for path in paths:
        try:
            lines += ["", *describe_file(path)]
        except ScoreError as error:
            errors.append(error)
            lines += ["", f"note: {error}"]
    if len(errors) == len(paths):
        raise errors[0]
    return lines[1:]


def describe_file(path: Path) -> list[str]:
    """A table of the parts, and what is odd about the file. Raises ScoreError when it cannot be read."""
    reading = read_score(path)
    score = with_fine_ticks(reading.score, PER_QUARTER)
    bars = np.cumsum(bars_of(roll_of(score, PER_QUARTER))[0] == 0)
    words = [
        f"{_counted(score.count, 'note')} in {_counted(len(score.parts), 'part')}",
        _counted(int(bars[-1]) if len(bars) else 0, "bar"), _lasting(float(seconds_at(score, score.ticks))),
        _metres(score), _tempos(score),
    ]  # fmt: skip
    rows = []
    for number, (part, steps) in enumerate(zip(score.parts, onset_steps(score, PER_QUARTER), strict=True)):
        pitches = f"{part.notes['pitch'].min()}-{part.notes['pitch'].max()}" if len(part.notes) else ""
        played = f"{bars[steps.min()]}-{bars[steps.max()]}" if len(part.notes) else ""
        rows.append([str(number), name_of(part).replace("|", "/"), instrument(part), str(part.program),
                     str(len(part.notes)), pitches, played])  # fmt: skip
    remarks = [f"note: {path}: {remark}" for remark in (*reading.remarks, *grid_remarks(score, PER_QUARTER))]
    return [*markdown([Table(str(path), ", ".join(words), COLUMNS, rows)]), *remarks]


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
