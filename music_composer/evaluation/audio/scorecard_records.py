"""The scorecard as records: the figures of scorecard.json, by the names that they have there.

Distances have no unit, levels are in dB, shares are 0 to 1. docs/evaluation.md defines each measure.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from music_composer import records
from music_composer.audio.options import ModelOptions


@dataclasses.dataclass(frozen=True)
class Distances:
    """How far some music is from the training music."""

    music: str
    windows: int  # of half a second
    discrepancy: float
    low: float  # ends of its 95 % interval
    high: float
    frechet: float
    timbre: float  # the Frechet distance of the bands alone
    at_windows: int  # at which both Frechet distances are taken
    change_db: float  # from frame to frame
    onset_db: float


@dataclasses.dataclass(frozen=True)
class MusicFigures(Distances):
    """What is read of whole recordings too."""

    recordings: int
    turns_per_second: float
    loudness_db: float
    side_db: float  # side against mid


@dataclasses.dataclass(frozen=True)
class MinuteFigures:
    """One minute of all long recordings together."""

    minute: int  # from 1 on
    discrepancy: float
    frechet: float
    timbre: float
    change_db: float
    loudness_db: float
    quietest_db: float  # of the recordings
    loudest_db: float
    flatness_db: float
    high_ratio_db: float


@dataclasses.dataclass(frozen=True)
class StabilityFigures:
    """How long recordings last: shares of them, but for counts and what has a unit."""

    recordings: int
    survive: float
    stretches_outside: float  # of the segments of ten seconds
    loop: float
    caught: float
    most_in_a_row: int
    most_repeated: int
    most_repeated_in_music: int
    silent: float
    longest_silence_s: float
    slope_db_per_minute: float
    steepest_db_per_minute: float


@dataclasses.dataclass(frozen=True)
class CopyFigures:
    """The longest run of a recording that is aligned to a training recording; seconds are 0 where there is none."""

    recording: str
    file: str
    seconds: float
    at: float  # second of the recording
    source: str
    source_at: float
    semitones: int  # that it lies above its source


@dataclasses.dataclass(frozen=True)
class CopyingFigures:
    """The copies of each recording, longest first."""

    real: tuple[CopyFigures, ...]
    made: tuple[CopyFigures, ...]


@dataclasses.dataclass(frozen=True)
class TrackFigures:
    """Whether continuations are nearest to their own track. None: too little real music is told apart."""

    music: str
    nearest: float
    rank: float
    own_over_others: float
    way_rank: float | None  # shares of the way from chance to real music
    way_ratio: float | None


@dataclasses.dataclass(frozen=True)
class AdherenceFigures:
    """tracks: their number. verdict: whether these are enough for one."""

    tracks: int
    prompt_seconds: float
    part_seconds: float
    verdict: bool
    rows: tuple[TrackFigures, ...]


@dataclasses.dataclass(frozen=True)
class OrderFigures:
    """What depends on the order of half seconds. None: there is too little music for a figure."""

    music: str
    pieces: int
    pulse: float | None
    steadiness: float | None
    boundaries_per_minute: float | None
    prompt_again: float | None  # shares of the music that the prompt and the training music hold too
    training_again: float | None
    training_longest_s: float
    clicks_per_minute: float | None = None


@dataclasses.dataclass(frozen=True)
class ContinuityFigures:
    """How often music steps less at its cuts than random splices do, altogether and by each kind of step."""

    cuts: int
    better: float
    level: float
    spectrum: float
    key: float
    pulse: float | None
    harmonic_change: float


@dataclasses.dataclass(frozen=True)
class ReferenceSize:
    """How much training music all distances are taken from."""

    recordings: int
    windows: int


@dataclasses.dataclass(frozen=True)
class SpeedFigures:
    """What it took to write `count` continuations of `seconds`."""

    seconds: float
    count: int
    spent: float  # seconds
    x_real_time: float


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """What a run folder holds, and how fast it learnt and played. codec_error_db: None without a codec."""

    model: str
    model_options: ModelOptions
    versions: dict[str, str]
    epochs: int
    training_seconds: float
    seconds_an_epoch: float | None
    generating: tuple[SpeedFigures, ...]
    peak_memory_mb: int
    first_sound_seconds: float
    codec_error_db: float | None = None
    judging_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class FolderFacts:
    """Where the music is from that is judged."""

    generated: str
    judging_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Scorecard:
    """All figures of an evaluation. A part that there is too little music for is None. Printed, it is Markdown."""

    windows_compared: int
    distance: tuple[MusicFigures, ...]  # the first is real music, held out
    ladder: tuple[Distances, ...]  # real music under known damage
    ladder_not_in_order: tuple[str, ...]  # measures, and in brackets the kinds of damage that they misjudge
    minutes: tuple[MinuteFigures, ...] | None
    survival: StabilityFigures | None
    copying: CopyingFigures
    adherence: AdherenceFigures | None
    order: tuple[OrderFigures, ...]  # the first is real music
    prompt: dict[str, ContinuityFigures] | None  # by music
    yardstick: ReferenceSize
    facts: RunFacts | FolderFacts

    def __str__(self) -> str:
        from music_composer.evaluation.audio.report import tables_of
        from music_composer.reports.tables import markdown

        return "\n".join(markdown(tables_of(self)))


def plain_of(card: Scorecard) -> dict[str, Any]:
    """The scorecard as scorecard.json holds it; `records.from_plain` is the inverse."""
    plain = records.to_plain(card)
    if isinstance(card.facts, RunFacts) and card.facts.codec_error_db is None:
        del plain["facts"]["codec_error_db"]
    return plain
