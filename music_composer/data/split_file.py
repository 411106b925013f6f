"""The split of a run folder as a file: `split.json`. What it says is checked before it is believed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from music_composer.data.split import Split
from music_composer.errors import RecordError, RunFolderError
from music_composer.files.atomic import read_json, reason, write_listing
from music_composer.records import from_plain

SPLIT = "split.json"
LABEL = {"magic": "music-composer split", "version": 1}
MOST_BYTES = 2**30


def write_split(folder: Path, split: Split) -> None:
    """Keeps a split in a run folder."""
    head = dataclasses.asdict(dataclasses.replace(split, decisions=()))
    del head["decisions"]
    write_listing(folder / SPLIT, {**LABEL, **head}, "decisions", map(dataclasses.asdict, split.decisions))


def read_split(folder: Path) -> Split | None:
    """The inverse; None where no split was kept. Raises RunFolderError where the file is damaged or not ours."""
    path = folder / SPLIT
    if not path.exists():
        return None
    try:
        plain = read_json(path, MOST_BYTES)
        if not isinstance(plain, dict) or {name: plain.pop(name, None) for name in LABEL} != LABEL:
            raise ValueError("not a split, or one of another version")
        return from_plain(Split, plain)
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {reason(error)}") from error
    except (ValueError, RecordError) as error:
        raise RunFolderError(
            f"{path} is damaged or not ours ({error}): nobody knows any more which music the model was trained on; "
            "give another -m, or --fresh"
        ) from error
