"""The scorecard as records: the figures of scorecard.json.

Some keys of the file are older than the names here: `stored_as` gives the key. Distances have no unit, levels are in
dB, shares are 0 to 1. docs/evaluation.md defines each measure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from music_composer import records
from music_composer.audio.options import ModelOptions
from music_composer.records import stored_as


@dataclass(frozen=True)
class Distances:
    """How far some music is from the training music."""

    music: str
    windows: int  # of half a second
    discrepancy: float
    low: float  # ends of its 95 % interval
    high: float
    frechet: float
    frechet_bands: float = field(metadata=stored_as("timbre"))  # of the bands alone
    at_windows: int  # at which both Frechet distances are taken
    change_db: float  # from frame to frame
    onset_db: float


@dataclass(frozen=True)
class MusicFigures(Distances):
    """What is read of whole recordings too."""

    recordings: int
    harmonic_changes_per_second: float = field(metadata=stored_as("turns_per_second"))
    loudness_db: float
    side_db: float  # side against mid


@dataclass(frozen=True)
class MinuteFigures:
    """One minute of all long recordings together."""

    minute: int  # from 1 on
    discrepancy: float
    frechet: float
    frechet_bands: float = field(metadata=stored_as("timbre"))
    change_db: float
    loudness_db: float
    quietest_db: float  # of the recordings
    loudest_db: float
    flatness_db: float
    high_ratio_db: float


@dataclass(frozen=True)
class StabilityFigures:
    """How stable long recordings are: shares of them, except counts and figures with a unit."""

    recordings: int
    stable: float = field(metadata=stored_as("survive"))
    segments_outside: float = field(metadata=stored_as("stretches_outside"))  # of ten seconds each
    loop: float
    stuck: float = field(metadata=stored_as("caught"))
    most_in_a_row: int
    most_repeated: int
    most_repeated_in_music: int
    silent: float
    longest_silence_s: float
    slope_db_per_minute: float
    steepest_db_per_minute: float


@dataclass(frozen=True)
class CopyFigures:
    """The longest run of a recording that is aligned to a training recording; seconds are 0 where there is none."""

    recording: str
    file: str
    seconds: float
    at: float  # second of the recording
    source: str
    source_at: float
    semitones: int  # that it lies above its source


@dataclass(frozen=True)
class CopyingFigures:
    """The copies of each recording, longest first."""

    real: tuple[CopyFigures, ...]
    generated: tuple[CopyFigures, ...] = field(metadata=stored_as("made"))


@dataclass(frozen=True)
class TrackFigures:
    """Whether continuations are nearest to their own track. None: too little real music is told apart."""

    music: str
    nearest: float
    rank: float
    own_over_others: float
    normalized_rank: float | None = field(metadata=stored_as("way_rank"))  # 0 is chance, 1 real music
    normalized_ratio: float | None = field(metadata=stored_as("way_ratio"))


@dataclass(frozen=True)
class AdherenceFigures:
    """tracks: their number. verdict: whether these are enough for one."""

    tracks: int
    prompt_seconds: float
    part_seconds: float
    verdict: bool
    rows: tuple[TrackFigures, ...]


@dataclass(frozen=True)
class OrderFigures:
    """What depends on the order of half seconds. None: there is too little music for a figure."""

    music: str
    pieces: int
    pulse: float | None
    steadiness: float | None
    boundaries_per_minute: float | None
    # Shares of the music that occur in the prompt and in the training music.
    prompt_repeated: float | None = field(metadata=stored_as("prompt_again"))
    training_repeated: float | None = field(metadata=stored_as("training_again"))
    training_longest_s: float
    clicks_per_minute: float | None = None


@dataclass(frozen=True)
class ContinuityFigures:
    """How often music steps less at its cuts than random splices do, altogether and by each kind of step."""

    cuts: int
    better: float
    level: float
    spectrum: float
    key: float
    pulse: float | None
    harmonic_change: float


@dataclass(frozen=True)
class ReferenceSize:
    """How much training music all distances are taken from."""

    recordings: int
    windows: int


@dataclass(frozen=True)
class SpeedFigures:
    """The time it took to write `count` continuations of `seconds` each."""

    seconds: float
    count: int
    elapsed: float = field(metadata=stored_as("spent"))  # seconds
    x_real_time: float


@dataclass(frozen=True)
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
    evaluation_seconds: float = field(default=0.0, metadata=stored_as("judging_seconds"))


@dataclass(frozen=True)
class FolderFacts:
    """Where the music is from that is judged."""

    generated: str
    evaluation_seconds: float = field(default=0.0, metadata=stored_as("judging_seconds"))


@dataclass(frozen=True)
class Scorecard:
    """All figures of an evaluation. A part that there is too little music for is None. Printed, it is Markdown."""

    windows_compared: int
    distance: tuple[MusicFigures, ...]  # the first is real music, held out
    degradations: tuple[Distances, ...] = field(metadata=stored_as("ladder"))  # real music under known damage
    # Measures, and in brackets the kinds of damage whose order they get wrong.
    degradations_not_in_order: tuple[str, ...] = field(metadata=stored_as("ladder_not_in_order"))
    minutes: tuple[MinuteFigures, ...] | None
    stability: StabilityFigures | None = field(metadata=stored_as("survival"))
    copying: CopyingFigures
    adherence: AdherenceFigures | None
    order: tuple[OrderFigures, ...]  # the first is real music
    continuity: dict[str, ContinuityFigures] | None = field(metadata=stored_as("prompt"))  # by music
    reference: ReferenceSize = field(metadata=stored_as("yardstick"))
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
