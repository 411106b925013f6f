"""Keyword arguments to requests, with the likely mistake where one is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from music_composer.errors import OptionError
from music_composer.records import from_names, names_in

T = TypeVar("T")
StrPath = str | Path


def request_of(
    record: type[T],
    function: str,
    options: Mapping[str, Any],
    fixed: Mapping[str, Any],
    left_out: Iterable[str] = (),
) -> T:
    """A request from the keyword arguments of a function.

    fixed: values by the names of fields, which are no keyword arguments. left_out: fields that have their defaults.
    Raises OptionError for a keyword that the function does not have, and for a value of the wrong type or out of range.
    """
    known = [name for name in names_in(record) if name not in {*fixed, *left_out}]
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {close[0]}?" if close else f"it has {', '.join(sorted(known))}"
            raise OptionError(f"{function}() has no option {name}: {meant}")
    return from_names(record, {**options, **fixed})


def paths_of(files: StrPath | Sequence[StrPath] | None) -> tuple[Path, ...]:
    """One path, several, or none, as a tuple."""
    if files is None:
        return ()
    return (Path(files),) if isinstance(files, str | Path) else tuple(Path(each) for each in files)
