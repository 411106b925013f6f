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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from music_composer.errors import OptionError, RecordError

T = TypeVar("T")
Converter = Callable[[Any, str], Any]  # a plain value, and where it stands in words
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
    fields = _fields(typing.cast(Any, record))
    if not plain.keys() <= fields.keys():
        unknown = sorted(str(key) for key in plain if key not in fields)
        raise RecordError(f"unknown option {', '.join(unknown)[:80]} for {name}: written by another version?")
    values = {fields[key].name: fields[key].convert(each, fields[key].where) for key, each in plain.items()}
    if len(values) < len(fields):
        for key, field in fields.items():
            if field.required and key not in plain:
                raise RecordError(f"{field.where} is missing")
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


@dataclasses.dataclass(frozen=True)
class _Field:
    """A field that is read from JSON. convert: takes what JSON holds and where that is, and returns a value."""

    name: str
    where: str
    required: bool
    convert: Converter


@functools.cache
def _fields(record: type) -> dict[str, _Field]:
    """The fields of a record by their keys in JSON; looked up once, since an index has very many records."""
    kinds = _kinds(record)
    return {
        key_of(field): _Field(
            field.name,
            f"{record.__name__}.{key_of(field)}",
            field.default is field.default_factory is dataclasses.MISSING,
            _converter(kinds[field.name]),
        )
        for field in dataclasses.fields(record)
        if field.init
    }


def _value(kind: Any, plain: Any, where: str) -> Any:
    """What a field of the type `kind` holds for a plain value."""
    return _converter(kind)(plain, where)


def _converter(kind: Any) -> Converter:
    """Returns what converts a plain value to the type `kind`, or raises RecordError."""
    origin, of = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return lambda plain, where: plain
    if origin in (typing.Union, types.UnionType):
        return functools.partial(_one_of, [_converter(each) for each in of])
    if origin is typing.Literal:
        return functools.partial(_literal, of)
    if origin in (tuple, list):
        endless = len(of) == 1 or of[1:] == (Ellipsis,)
        return functools.partial(_items, origin, [_converter(each) for each in of if each is not Ellipsis], endless)
    if origin is dict:
        return functools.partial(_dictionary, _converter(of[0]), _converter(of[1]))
    if dataclasses.is_dataclass(kind):
        return lambda plain, where: from_plain(typing.cast(type, kind), plain)
    if kind in _SIMPLE:
        return _SIMPLE[kind]

    def refuse(plain: Any, where: str) -> Any:
        raise TypeError(f"{where}: records have no fields of {kind}")

    return refuse


def _one_of(converters: list[Converter], plain: Any, where: str) -> Any:
    errors = []
    for convert in converters:
        try:
            return convert(plain, where)
        except RecordError as error:
            errors.append(error)
    raise errors[0]


def _literal(of: tuple[Any, ...], plain: Any, where: str) -> Any:
    if any(plain == each and type(plain) is type(each) for each in of):
        return plain
    raise RecordError(f"{where} is {_shown(plain)}: it must be one of {', '.join(map(repr, of))}")


def _items(origin: type, converters: list[Converter], endless: bool, plain: Any, where: str) -> Any:
    """converters: one for each item, or one for all."""
    if not isinstance(plain, list | tuple):
        raise _wrong(where, plain, "a list")
    if endless:
        converters = converters * len(plain)
    if len(plain) != len(converters):
        raise _wrong(where, plain, f"a list of {len(converters)}")
    return origin(
        convert(each, f"{where}[{i}]") for i, (convert, each) in enumerate(zip(converters, plain, strict=True))
    )


def _dictionary(of_key: Converter, of_value: Converter, plain: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise _wrong(where, plain, "an object")
    return {of_key(key, where): of_value(each, f"{where}.{key}") for key, each in plain.items()}


def _float(plain: Any, where: str) -> float:
    number = isinstance(plain, int | float) and not isinstance(plain, bool)
    if not number or not abs(plain) < BEYOND * 1e10 or not math.isfinite(plain):
        raise _wrong(where, plain, "a finite number")
    return float(plain)


def _int(plain: Any, where: str) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool) or not -BEYOND <= plain < BEYOND:
        raise _wrong(where, plain, "a whole number")
    return plain


def _exactly(kind: type, words: str, plain: Any, where: str) -> Any:
    if type(plain) is not kind:
        raise _wrong(where, plain, words)
    return plain


def _path(plain: Any, where: str) -> Path:
    if not isinstance(plain, str | Path) or "\0" in str(plain):
        raise _wrong(where, plain, "a path")
    return Path(plain)


def _kind_of(kind: type, plain: Any, where: str) -> Any:
    if not isinstance(plain, kind):
        raise _wrong(where, plain, kind.__name__)
    return plain


_SIMPLE: dict[Any, Converter] = {
    float: _float,
    int: _int,
    bool: functools.partial(_exactly, bool, "true or false"),
    str: functools.partial(_exactly, str, "text"),
    type(None): functools.partial(_exactly, type(None), "null"),
    Path: _path,
    **{kind: functools.partial(_kind_of, kind) for kind in (list, dict, tuple)},
}


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
