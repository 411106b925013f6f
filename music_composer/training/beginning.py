"""How a training begins anew: the run folder is whole at any moment, and old weights stay until the first new ones.

    .new/       options, prompts, division and first checkpoint of a new training, made at one moment; its first epoch
    .settling/  the same when weights are there: its files take their places, one by one, whoever finishes that

A folder is a run folder of ours only if its options.json says so: nothing in any other is touched.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from music_composer.errors import BusyError, RunFolderError
from music_composer.files.atomic import (
    PART,
    make_folder,
    part_name,
    read_json,
    reason,
    remove_torn,
    sync_folder,
    write_json,
)
from music_composer.files.locks import locked
from music_composer.files.run_layout import OPTIONS, SAMPLES
from music_composer.files.temporary import noted
from music_composer.training.checkpoint import STATE, read_state

WEIGHTS = "model.weights.h5"
CHECKPOINT = "checkpoint.npz"
HISTORY = "history.csv"
LOSS_PLOT = "loss.png"
PROMPTS = "prompts"
MEMORY = "memory.json"  # names files of a folder beside it that both the old and the new training use
MEMORY_FILES = "memory"
CHOICE = "choice.json"
FILES = (OPTIONS, CHECKPOINT, WEIGHTS, STATE, HISTORY, LOSS_PLOT, "split.json", MEMORY, CHOICE)
PROMPT = re.compile(rf"{PROMPTS}/prompt-\d+\.flac")
NEW, SETTLING, JOURNAL = ".new", ".settling", "settling.json"
COMMANDS = {
    "music-composer model": "music-composer",
    "music-composer symbolic model": "music-composer midi",
}  # by magic


def place_of(home: Path) -> Path:
    """Where the training of a run folder goes on: what was begun anew comes before what was there."""
    return home / NEW if (home / NEW / OPTIONS).exists() else home


def new_place(home: Path) -> Path:
    """Where a training that begins anew will lie."""
    return home / NEW


def home_of(place: Path) -> Path:
    """The run folder that a training belongs to, the inverse of `place_of`."""
    return place.parent if place.name == NEW else place


def samples_of(place: Path, epoch: int) -> Path:
    """Returns the folder of an epoch's sample with its weights: the run folder itself keeps only the best ones."""
    return home_of(place) / SAMPLES / f"epoch-{epoch:04d}"


def require_ours(home: Path, magic: str) -> None:
    """Raises RunFolderError where a training would write over files that are not of a run folder of this magic."""
    path, new = home / OPTIONS, home / NEW
    for link in (new, home / SETTLING, home / PROMPTS, home / MEMORY_FILES):
        if link.is_symlink():
            raise RunFolderError(f"{link} is a link, and is left alone: give another -m")
    if os.path.lexists(new) and _magic_of(new / OPTIONS) is None:
        raise RunFolderError(f"{new} is not ours, and is left alone: give another -m")
    if not os.path.lexists(path):
        found = [name for name in FILES if os.path.lexists(home / name)]
        if found:
            raise RunFolderError(
                f"{home / found[0]} is not ours, as there is no {OPTIONS} beside it, and is left alone: give another -m"
            )
        return
    said = _magic_of(path)
    if said != magic:
        whose = f"of `{COMMANDS[said]}`" if said in COMMANDS else "not ours"
        raise RunFolderError(f"{path} is {whose}, and is left alone: give another -m")


def begin_folder(home: Path, label: Mapping[str, Any], plain: Mapping[str, Any], fill: Callable[[Path], None]) -> Path:
    """Makes what a new training begins with, whole or not at all; what was begun before goes. Returns where it lies.

    label: magic and version. plain: what rebuilds the model. fill: writes whatever else belongs to it into a folder.
    """
    new = home / NEW
    part, old = part_name(new), part_name(new)
    try:
        with noted(part):
            make_folder(part)
            write_json(part / OPTIONS, {**label, **plain})
            write_json(part / STATE, {})
            fill(part)
            if os.path.lexists(new):
                os.rename(new, old)
            os.rename(part, new)
        sync_folder(home)
    except OSError as error:
        raise RunFolderError(f"{new} cannot be made: {reason(error)}") from error
    finally:
        for each in (part, old):
            shutil.rmtree(each, ignore_errors=True)
    return new


def settle(home: Path, ready: bool = False) -> None:
    """Puts a new training that has weights in the place of what was there. Cut off anywhere, the next call finishes it.

    Only who has locked the run folder may do that. ready: it is done, and needs no weights.
    """
    new, moving = home / NEW, home / SETTLING
    try:
        for folder in (home, new):
            remove_torn(folder)
        if not moving.exists() and (ready and new.exists() or _is_ready(new)):
            write_json(new / JOURNAL, {"remove": _superseded(home, new)})
            os.rename(new, moving)
            sync_folder(home)
        if (moving / JOURNAL).exists():
            _move(moving, home)
        if moving.exists():
            moving.rmdir()
    except OSError as error:
        raise RunFolderError(f"{home} cannot be written to: {reason(error)}") from error


def finish_settling(home: Path) -> None:
    """For who only reads: finishes what a killed training left, or raises RunFolderError."""
    if (home / SETTLING).exists():
        with contextlib.suppress(BusyError), locked(home):
            settle(home)
        if (home / SETTLING).exists():
            raise RunFolderError(f"{home} is just being replaced by a new training: try again")


def _is_ready(new: Path) -> bool:
    if not (new / WEIGHTS).exists():
        return False
    state = read_state(new / CHECKPOINT)
    return state is not None and state.epoch > 0


def _superseded(home: Path, new: Path) -> list[str]:
    """Files of the old run that the new one does not have."""
    prompts = [f"{PROMPTS}/{path.name}" for path in sorted((home / PROMPTS).glob("*"))]
    names = [*FILES, *(name for name in prompts if PROMPT.fullmatch(name))]
    return [name for name in names if (home / name).exists() and not (new / name).exists()]


def _move(moving: Path, home: Path) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        for name in read_json(moving / JOURNAL)["remove"]:
            if name in FILES or PROMPT.fullmatch(name):
                (home / name).unlink(missing_ok=True)
    names = {path: path.relative_to(moving).as_posix() for path in sorted(moving.rglob("*"))}
    files = [path for path, name in names.items() if name in FILES or PROMPT.fullmatch(name)]
    for path in names:
        if PART.fullmatch(path.name) and path.is_file():
            path.unlink()
    files.sort(key=lambda path: path.name != OPTIONS)  # first: by it the folder is known to be ours
    for path in files:
        target = home / path.relative_to(moving)
        make_folder(target.parent)
        os.replace(path, target)
    for folder in {home, *(home / path.relative_to(moving).parent for path in files)}:
        sync_folder(folder)
    for path in sorted(moving.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
    (moving / JOURNAL).unlink()


def _magic_of(path: Path) -> str | None:
    """Of an options.json, also of one of ours that is damaged: its magic stands at its beginning."""
    try:
        plain = read_json(path)
        return str(plain.get("magic")) if isinstance(plain, dict) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {reason(error)}") from error
    except ValueError:
        with contextlib.suppress(OSError), path.open("rb") as file:
            begin = file.read(200)
            return next((magic for magic in COMMANDS if f'"{magic}"'.encode() in begin), None)
    return None
