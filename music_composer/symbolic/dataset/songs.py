"""The user's score files as piano rolls. Files that cannot be used are named with their reason."""

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
    """One file. source: its path relative to the dataset folder."""

    source: str
    roll: Roll


def read_song(path: Path, per_quarter: int) -> tuple[Roll, tuple[str, ...]]:
    """A score file on a grid of `per_quarter` steps in a quarter note, without silent bars at the beginning.

    Also returns remarks on its oddities. Raises ScoreError when the file cannot be read, or has no pitched notes.
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
    """All songs of a folder, and a remark for each oddity.

    Raises ScoreError when no file can be used, with the reason for each.
    """
    paths = scores_in(folder, ours=True)
    songs, remarks = [], []
    for done, path in enumerate(paths):
        progress(done, len(paths), path.name)
        try:
            roll, oddities = read_song(path, per_quarter)
        except ScoreError as error:
            remarks.append(str(error))
            continue
        songs.append(Song(path.relative_to(folder).as_posix(), roll))
        remarks += [f"{path}: {remark}" for remark in oddities]
    if not songs:
        raise ScoreError(f"none of the {len(paths)} files in {folder} can be used:\n  " + "\n  ".join(remarks))
    return songs, remarks
