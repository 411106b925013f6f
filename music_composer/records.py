"""Frozen dataclasses to JSON and back: the one place where types, ranges and unknown fields are checked.

    to_json, from_json      text
    to_plain, from_plain    what JSON text stands for: dictionaries, lists, numbers
    from_names              values by name, as options and keyword arguments are given

Ranges are those of the dataclass: its `__post_init__` raises OptionError. A field whose key in JSON is not its name
says so: `field(metadata=stored_as("key"))`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from music_composer.errors import OptionError, RecordError

T = TypeVar("T")
BEYOND = 2**63  # of whole numbers
MAX_WORDS = 300  # characters of a message about a value


def stored_as(key: str) -> dict[str, str]:
    """Metadata of a field that has another name in JSON. Files keep their keys when a field is renamed."""
    return {"key": key}


def from_plain(record: type[T], plain: Any) -> T:
    """A record of the type `record` from a JSON object; fields that are left out have their defaults.

    Fields may be int, float, bool, str, Path, None, Literal, unions of these, list, dict[str, ...], tuples of fixed and
    of any length, other dataclasses, and Any, which is not looked into. Numbers are finite.
    Raises RecordError, naming the field, for whatever does not fit, and for a field that this version does not know.
    """
    name = record.__name__
    if not isinstance(plain, dict):
        raise RecordError(f"{name}: {_shown(plain)} is no record")
    fields = {key_of(field): field for field in dataclasses.fields(record) if field.init}  # type: ignore[arg-type]
    unknown = sorted(str(key) for key in plain if key not in fields)
    if unknown:
        raise RecordError(f"unknown option {', '.join(unknown)[:80]} for {name}: written by another version?")
    kinds = _kinds(typing.cast(Any, record))
    values = {fields[key].name: _value(kinds[fields[key].name], each, f"{name}.{key}") for key, each in plain.items()}
    for key, field in fields.items():
        if key not in plain and field.default is field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{name}.{key} is missing")
    try:
        return record(**values)
    except (OptionError, ValueError, ArithmeticError) as error:
        raise RecordError(f"{name}: {str(error)[:MAX_WORDS]}") from error


def to_plain(record: Any) -> dict[str, Any]:
    """A record as plain values of JSON; the inverse of `from_plain`."""
    plain: dict[str, Any] = _plain(record)
    return plain


def to_json(record: Any) -> str:
    """A record as JSON text; the inverse of `from_json`."""
    return json.dumps(to_plain(record))


def from_json(record: type[T], text: str) -> T:
    """A record of the type `record` from JSON text. Raises RecordError for text that is not JSON or does not fit."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{record.__name__}: not JSON: {str(error)[:MAX_WORDS]}") from error
    return from_plain(record, plain)


def names_in(record: type) -> list[str]:
    """Names of the fields of a record, and of those of the records in it instead of theirs."""
    kinds, found = _kinds(record), list[str]()
    for field in dataclasses.fields(record):
        kind = kinds[field.name]
        found += names_in(typing.cast(type, kind)) if dataclasses.is_dataclass(kind) else [field.name]
    return list(dict.fromkeys(found))


def from_names(record: type[T], values: Mapping[str, Any], base: T | None = None) -> T:
    """A record from values by the names of its fields and of the fields of the records in it.

    A name that several of the records have stands for all of them. Fields that are not named are those of `base`, or
    have their defaults; other names are passed over. Raises OptionError, naming the field, for a value of the wrong
    type or out of range.
    """
    kinds, found = _kinds(typing.cast(Any, record)), dict[str, Any]()
    for field in dataclasses.fields(typing.cast(Any, record)):
        kind = kinds[field.name]
        if dataclasses.is_dataclass(kind):
            default = None if field.default is dataclasses.MISSING else field.default
            found[field.name] = from_names(typing.cast(type, kind), values, default)
        elif field.name in values:
            found[field.name] = _given(kind, values[field.name], field.name)
    return record(**found) if base is None else dataclasses.replace(typing.cast(Any, base), **found)


def _given(kind: Any, value: Any, name: str) -> Any:
    """A value that a user has given. Raises OptionError where it is of the wrong type; its record knows the range."""
    try:
        return _value(kind, value, name)
    except RecordError as error:
        if type(value) in (int, float) and type(value) in (kind, *typing.get_args(kind)):  # without end, or huge
            return value
        raise OptionError(str(error)) from error


def given(record: Any) -> dict[str, Any]:
    """The fields of a record whose default is None that have another value, by name."""
    fields = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {name: value for name, value in fields.items() if value is not None}


def key_of(field: dataclasses.Field[Any]) -> str:
    """The key of a field in JSON."""
    key: str = field.metadata.get("key", field.name)
    return key


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {key_of(field): _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


@functools.cache
def _kinds(record: type) -> dict[str, Any]:
    """The type of each field; annotations are words until they are asked for."""
    return typing.get_type_hints(record)


def _value(kind: Any, plain: Any, where: str) -> Any:
    """What a field of the type `kind` holds for a plain value."""
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return plain
    if origin in (typing.Union, types.UnionType):
        return _one_of(of, plain, where)
    if origin is typing.Literal:
        if any(plain == each and type(plain) is type(each) for each in of):
            return plain
        raise RecordError(f"{where} is {_shown(plain)}: it must be one of {', '.join(map(repr, of))}")
    if origin in (tuple, list):
        return origin(_items(of, plain, where))
    if origin is dict:
        if not isinstance(plain, dict):
            raise _wrong(where, plain, "an object")
        return {_value(of[0], key, where): _value(of[1], each, f"{where}.{key}") for key, each in plain.items()}
    if dataclasses.is_dataclass(kind):
        return from_plain(typing.cast(type, kind), plain)
    return _simple(kind, plain, where)


def _one_of(kinds: tuple[Any, ...], plain: Any, where: str) -> Any:
    errors = []
    for kind in kinds:
        try:
            return _value(kind, plain, where)
        except RecordError as error:
            errors.append(error)
    raise errors[0]


def _items(kinds: tuple[Any, ...], plain: Any, where: str) -> list[Any]:
    """kinds: one for each item, or one and an ellipsis, as `tuple` has them; the one kind of a list."""
    if not isinstance(plain, list | tuple):
        raise _wrong(where, plain, "a list")
    if len(kinds) == 1 or kinds[1:] == (Ellipsis,):
        kinds = (kinds[0],) * len(plain)
    if len(plain) != len(kinds):
        raise _wrong(where, plain, f"a list of {len(kinds)}")
    return [_value(kind, each, f"{where}[{i}]") for i, (kind, each) in enumerate(zip(kinds, plain, strict=True))]


def _simple(kind: Any, plain: Any, where: str) -> Any:
    number = isinstance(plain, int | float) and not isinstance(plain, bool)
    if kind is float:
        if not number or not abs(plain) < BEYOND * 1e10 or not math.isfinite(plain):
            raise _wrong(where, plain, "a finite number")
        return float(plain)
    if kind is int:
        if not number or not isinstance(plain, int) or not -BEYOND <= plain < BEYOND:
            raise _wrong(where, plain, "a whole number")
        return plain
    if kind in (bool, str, type(None)):
        if type(plain) is not kind:
            raise _wrong(where, plain, {bool: "true or false", str: "text"}.get(kind, "null"))
        return plain
    if kind is Path:
        if not isinstance(plain, str | Path) or "\0" in str(plain):
            raise _wrong(where, plain, "a path")
        return Path(plain)
    if kind in (list, dict, tuple):
        if not isinstance(plain, kind):
            raise _wrong(where, plain, kind.__name__)
        return plain
    raise TypeError(f"{where}: records have no fields of {kind}")


def _wrong(where: str, plain: Any, wanted: str) -> RecordError:
    return RecordError(f"{where} is {_shown(plain)}: it must be {wanted}")


def _shown(plain: Any) -> str:
    """A value in a few characters."""
    if isinstance(plain, dict | list | tuple):
        return f"a {type(plain).__name__} of {len(plain)}"
    if isinstance(plain, int) and not -BEYOND <= plain < BEYOND:
        return "a huge number"
    shown = repr(plain)
    return shown if len(shown) <= 40 else shown[:37] + "..."
