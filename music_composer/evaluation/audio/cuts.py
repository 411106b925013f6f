"""Whole tracks that were held out, cut in three: a prompt, what truly follows it, and as much after that.

The prompt is the track up to the cut. What follows it is the truth that a continuation is held against, and the part
after it is the ruler: as near to its own track as real music is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from music_composer.errors import OptionError
from music_composer.evaluation.audio.analysis import Span


@dataclass(frozen=True)
class CutOptions:
    """Where tracks are cut. Seconds."""

    prompt: float = 20.0  # of a track before its cut, at least
    part: float = 30.0  # of it that is the truth, and again after it
    short_prompt: float = 10.0  # the same where tracks are short
    short_part: float = 15.0
    roomy: float = 2 / 3  # share of the tracks that have room for the longer ones; where it is less tracks are short
    latest: float = 60.0  # no cut lies further into a track

    def __post_init__(self) -> None:
        if not 0.0 < self.short_prompt <= self.prompt <= self.latest or not 0.0 < self.short_part <= self.part:
            raise OptionError(f"{self}: needs 0 < short prompt <= prompt <= latest, and 0 < short part <= part.")


@dataclass(frozen=True)
class Cut:
    """A track that begins at second `start` of a recording and is cut at second `at`; parts are `part` seconds long."""

    path: Path
    start: float
    at: float
    part: float

    @property
    def prompt(self) -> Span:
        return Span(self.path, self.start, self.at)

    @property
    def truth(self) -> Span:
        return Span(self.path, self.at, self.at + self.part)

    @property
    def later(self) -> Span:
        return Span(self.path, self.at + self.part, self.at + 2 * self.part)


def lengths_for(tracks: Sequence[float], options: CutOptions, most_part: float = float("inf")) -> tuple[float, float]:
    """Seconds of the shortest prompt and of a part, for tracks of so many seconds.

    most_part: seconds of a continuation, beyond which there is nothing to compare.
    """
    least, part = options.prompt, min(options.part, most_part)
    roomy = sum(seconds >= least + 2 * part for seconds in tracks)
    if roomy >= options.roomy * len(tracks):
        return least, part
    return options.short_prompt, min(options.short_part, most_part)


def place_of(seconds: float, least: float, part: float, options: CutOptions) -> float:
    """The second at which a track of that length is cut: a third into it, as far as the rest has room."""
    return round(min(max(least, seconds / 3), options.latest, seconds - 2 * part), 2)


def cuts_of(tracks: Sequence[Span], options: CutOptions, most_part: float = float("inf")) -> list[Cut]:
    """Of each track, with both its ends known, that is long enough. most_part: see `lengths_for`."""
    lengths = [track.stop - track.start for track in tracks]
    least, part = lengths_for(lengths, options, most_part)
    return [
        Cut(track.path, track.start, track.start + place_of(length, least, part, options), part)
        for track, length in zip(tracks, lengths, strict=True)
        if length >= least + 2 * part
    ]
