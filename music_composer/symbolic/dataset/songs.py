"""The user's MIDI files as piano rolls: what can be read is, and every other file is named with its reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from music_composer.data.folder import scores_in
from music_composer.errors import ScoreError
from music_composer.symbolic.notation.score_file import read_score
from music_composer.symbolic.quantization import grid_remarks
from music_composer.symbolic.roll import to_roll
from music_composer.symbolic.roll_operations import without_lead_in
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class Song:
    """One file. source: its path, as seen from the dataset folder."""

    source: str
    roll: Roll


def read_song(path: Path, per_quarter: int) -> tuple[Roll, tuple[str, ...]]:
    """A score file on a grid of `per_quarter` steps in a quarter note, without silent bars at its beginning, and
    remarks on what is odd about it. Raises ScoreError when it cannot be read, or has no notes in it.
    """
    reading = read_score(path)
    roll = without_lead_in(to_roll(reading.score, per_quarter))
    if not roll.steps:
        drums = any(part.drums for part in reading.score.parts)
        why = f" ({'; '.join(reading.remarks)})" if reading.remarks else ""
        raise ScoreError(f"{path}: has {'nothing but drums' if drums else 'no notes'} in it{why}")
    return roll, (*reading.remarks, *grid_remarks(reading.score, per_quarter))


def read_songs(
    folder: Path, per_quarter: int = 4, progress: Callable[[float, float, str], None] = lambda done, total, name: None
) -> tuple[list[Song], list[str]]:
    """All songs of a folder, and remarks, a line for each oddity.

    Raises ScoreError when not one file can be used, naming every one and why.
    """
    paths = scores_in(folder, ours=True)
    songs, remarks = [], []
    for done, path in enumerate(paths):
        progress(done, len(paths), path.name)
        try:
            roll, odd = read_song(path, per_quarter)
        except ScoreError as error:
            remarks.append(str(error))
            continue
        songs.append(Song(path.relative_to(folder).as_posix(), roll))
        remarks += [f"{path}: {remark}" for remark in odd]
    if not songs:
        raise ScoreError(f"none of the {len(paths)} files in {folder} can be used:\n  " + "\n  ".join(remarks))
    return songs, remarks
