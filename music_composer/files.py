"""Whole files: written under another name, then renamed, so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from music_composer.errors import MusicComposerError

PART_SUFFIX = ".part"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a name to write to; on leaving, the file gets its real name. On any error it is removed.

    The name keeps its suffix last, since libraries read the format from there: `song.wav` is written as
    `.song.part.wav`.
    """
    part = path.with_name(f".{path.stem}{PART_SUFFIX}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise MusicComposerError(f"{path} cannot be written: {reason(error)}") from error
    finally:
        part.unlink(missing_ok=True) if _is_there(part) else None


def write_json(path: Path, content: Any) -> None:
    with whole_file(path) as part:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        part.write_text(text, encoding="utf-8", errors="backslashreplace")  # file names need not be Unicode


def read_json(path: Path) -> Any:
    """Raises OSError when it cannot be read, ValueError when it is not JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def reason(error: OSError) -> str:
    """What the operating system says, without Python's decorations."""
    return (error.strerror or str(error)).lower()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
