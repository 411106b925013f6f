"""The scorecard of notes as records: the figures of scorecard.json.

`generated` is the music that is evaluated, `held_out` music that was not trained on. Some keys of the file are older
than the names here: `stored_as` gives the key. docs/evaluation.md defines each measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from music_composer import records
from music_composer.records import stored_as


@dataclass(frozen=True)
class Counts:
    """How many there are of something."""

    generated: int = field(metadata=stored_as("made"))
    training: int
    held_out: int


@dataclass(frozen=True)
class MetricFigures:
    """Means of one metric, None where it is never defined; and overlaps with the held-out music, 0 to 1."""

    metric: str
    generated: float | None = field(metadata=stored_as("made"))
    training: float | None
    held_out: float | None
    overlap_generated: float = field(metadata=stored_as("overlap_made"))
    overlap_training: float


@dataclass(frozen=True)
class CopyFigures:
    """What is copied from the training music.

    share: of all windows, with the ends of its 95 % interval. longest_steps: steps of the longest run; where it is not
    0, it begins at step `at` of `piece`, like the training piece `source` at step `source_at`.
    """

    share: float
    low: float
    high: float
    longest_steps: int
    piece: str | None = None
    at: int | None = None
    source: str | None = None
    source_at: int | None = None


@dataclass(frozen=True)
class CopyingFigures:
    """Copies in the generated and in the held-out music."""

    generated: CopyFigures = field(metadata=stored_as("made"))
    held_out: CopyFigures


@dataclass(frozen=True)
class LikelihoodFigures:
    """Mean negative log likelihood, in nats."""

    per_step: float = field(metadata=stored_as("a_step"))
    per_note: float = field(metadata=stored_as("a_note"))


@dataclass(frozen=True)
class ModelFacts:
    """The model, its sampling options, and how fast it composes."""

    model: str
    temperature: float
    top_k: int
    top_p: float
    conservativity: float
    seconds: int  # of music
    elapsed: float = field(metadata=stored_as("spent"))  # seconds
    x_real_time: float


@dataclass(frozen=True)
class Scorecard:
    """All figures of an evaluation. Those of the model are None where folders are compared. Printed, it is Markdown."""

    pieces: Counts
    segments: Counts = field(metadata=stored_as("stretches"))  # that are measured
    metrics: tuple[MetricFigures, ...]
    copying: CopyingFigures
    facts: ModelFacts | None = None
    likelihood: dict[str, LikelihoodFigures] | None = None  # by music

    def __str__(self) -> str:
        from music_composer.evaluation.symbolic.report import tables_of
        from music_composer.reports.tables import markdown

        return "\n".join(markdown(tables_of(self)))


def plain_of(card: Scorecard) -> dict[str, Any]:
    """The scorecard as scorecard.json holds it, without what is unknown; `records.from_plain` is the inverse."""
    plain = records.to_plain(card)
    for part in (plain, *plain["copying"].values()):
        for name in ("facts", "likelihood", "piece", "at", "source", "source_at"):
            if part.get(name, 0) is None:
                del part[name]
    return plain
