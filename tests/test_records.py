"""Records from JSON: what fits comes back, whatever else it is gives one error that names the place."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.errors import MusicComposerError, OptionError, RecordError
from music_composer.records import from_plain, stored_as, to_plain
from music_composer.symbolic.options import MODELS
from music_composer.training.options import TrainOptions


@dataclasses.dataclass(frozen=True)
class Inner:
    size: int
    name: str = "x"

    def __post_init__(self) -> None:
        if self.size < 0:
            raise OptionError(f"size is {self.size}")


@dataclasses.dataclass(frozen=True)
class Outer:
    inner: Inner
    pair: tuple[int, float]
    many: tuple[Inner, ...]
    maybe: int | None
    table: dict[str, float]
    words: list[str]
    kind: Literal["a", "b"] = "a"
    path: Path = Path("here")
    whole: bool = False
    anything: Any = None


PLAIN: dict[str, Any] = {
    "inner": {"size": 3},
    "pair": [1, 2],
    "many": [{"size": 1, "name": "y"}, {"size": 2}],
    "maybe": None,
    "table": {"k": 1},
    "words": ["w"],
}


def test_a_record_comes_back_with_everything_in_it() -> None:
    made = from_plain(Outer, PLAIN)
    assert made == Outer(Inner(3), (1, 2.0), (Inner(1, "y"), Inner(2)), None, {"k": 1.0}, ["w"])
    assert from_plain(Outer, json.loads(json.dumps(to_plain(made)))) == made
    assert isinstance(made.pair[1], float)


@dataclasses.dataclass(frozen=True)
class Renamed:
    width: int = dataclasses.field(default=1, metadata=stored_as("wide"))
    inner: Inner = Inner(2)


def test_a_renamed_field_keeps_its_key() -> None:
    assert to_plain(Renamed(3)) == {"wide": 3, "inner": {"size": 2, "name": "x"}}
    assert from_plain(Renamed, {"wide": 4}) == Renamed(4)
    with pytest.raises(RecordError, match="Renamed.wide is 'x'"):
        from_plain(Renamed, {"wide": "x"})
    with pytest.raises(RecordError, match="unknown option width"):
        from_plain(Renamed, {"width": 3})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"inner": 3}, "Inner: 3 is no record"),
        ({"inner": {}}, "Inner.size is missing"),
        ({"inner": {"size": -1}}, "size is -1"),
        ({"inner": {"size": True}}, r"Inner.size is True: it must be a whole number"),
        ({"inner": {"size": 1.0}}, "Inner.size is 1.0"),
        ({"inner": {"size": "1"}}, "Inner.size is '1'"),
        ({"inner": {"size": 10**300}}, "Inner.size is a huge number"),
        ({"inner": {"size": 1, "wings": 2}}, "unknown option wings for Inner"),
        ({"pair": [1]}, "Outer.pair is a list of 1: it must be a list of 2"),
        ({"pair": "ab"}, "Outer.pair"),
        ({"pair": [1, float("nan")]}, r"Outer.pair\[1\] is nan: it must be a finite number"),
        ({"pair": [1, 10**400]}, r"Outer.pair\[1\] is a huge number"),
        ({"pair": [1, False]}, r"Outer.pair\[1\] is False"),
        ({"many": [{"size": None}]}, "Inner.size is None"),
        ({"many": {"size": 1}}, "Outer.many is a dict of 1"),
        ({"maybe": "1"}, "Outer.maybe"),
        ({"table": []}, "Outer.table"),
        ({"table": {"k": None}}, "Outer.table.k is None"),
        ({"words": [1]}, r"Outer.words\[0\] is 1: it must be text"),
        ({"kind": "c"}, "must be one of 'a', 'b'"),
        ({"kind": []}, "must be one of 'a', 'b'"),
        ({"path": "a\0b"}, "Outer.path"),
        ({"path": 1}, "Outer.path"),
        ({"whole": 0}, "Outer.whole is 0: it must be true or false"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(RecordError, match=named):
        from_plain(Outer, PLAIN | change)


@pytest.mark.parametrize("plain", [None, [], "text", 3, float("inf")])
def test_what_is_no_object_is_an_error(plain: Any) -> None:
    with pytest.raises(RecordError, match="is no record"):
        from_plain(Outer, plain)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = [Outer, FrameOptions, ModelOptions, TrainOptions, GenerateOptions, *MODELS.values()]
DEFAULTS = {record: to_plain(record()) for record in RECORDS if record is not Outer} | {Outer: PLAIN}


@given(st.sampled_from(RECORDS), st.data())
def test_any_value_in_any_field_is_a_record_or_our_error(record: type, data: st.DataObject) -> None:
    plain = dict(DEFAULTS[record])
    plain[data.draw(st.sampled_from(sorted(plain)))] = data.draw(JSON)
    try:
        made = from_plain(record, plain)
    except MusicComposerError:
        return
    kinds = {"seed": int | None}
    for field in dataclasses.fields(record):
        value = getattr(made, field.name)
        if field.type == "int":
            assert type(value) is int
        if field.type == "float":
            assert type(value) is float
            assert abs(value) < float("inf")
        if field.name in kinds:
            assert isinstance(value, kinds[field.name])
