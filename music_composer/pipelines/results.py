"""What jobs give back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What there is to learn from. files: that can be used; seconds: of music in them."""

    files: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class Scorecard(Mapping[str, Any]):
    """The figures of an evaluation, by name as in scorecard.json: `card["distance"]`.

    folder: where scorecard.json and scorecard.html lie. lines: the tables as Markdown.
    """

    figures: Mapping[str, Any]
    folder: Path
    lines: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def __str__(self) -> str:
        return "\n".join(self.lines)
