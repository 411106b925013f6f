"""Cuts held-out tracks in three: a prompt, its true continuation, and a part of equal length after that.

A continuation is compared with the true one. The part after it is the reference: as near to its track as real music is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from music_composer.errors import OptionError
from music_composer.evaluation.audio.analysis import Span


@dataclass(frozen=True)
class CutOptions:
    """Where tracks are cut, in seconds."""

    prompt: float = 20.0  # of a track before its cut, at least
    part: float = 30.0  # of the true continuation, and of the part after it
    short_prompt: float = 10.0  # the same where tracks are short
    short_part: float = 15.0
    roomy: float = 2 / 3  # share of the tracks with room for the long parts; below it, tracks count as short
    latest: float = 60.0  # latest cut

    def __post_init__(self) -> None:
        if not 0.0 < self.short_prompt <= self.prompt <= self.latest or not 0.0 < self.short_part <= self.part:
            raise OptionError(f"{self}: needs 0 < short prompt <= prompt <= latest, and 0 < short part <= part.")


@dataclass(frozen=True)
class Cut:
    """A track from second `start` of a recording, cut at second `at`, with parts of `part` seconds."""

    path: Path
    start: float
    at: float
    part: float

    @property
    def prompt(self) -> Span:
        return Span(self.path, self.start, self.at)

    @property
    def truth(self) -> Span:
        """The true continuation."""
        return Span(self.path, self.at, self.at + self.part)

    @property
    def later(self) -> Span:
        """The part after the true continuation."""
        return Span(self.path, self.at + self.part, self.at + 2 * self.part)


def lengths_for(tracks: Sequence[float], options: CutOptions, most_part: float = float("inf")) -> tuple[float, float]:
    """Returns the seconds of the shortest prompt and of a part, for tracks of the given lengths.

    most_part: seconds of a continuation, beyond which there is nothing to compare.
    """
    least, part = options.prompt, min(options.part, most_part)
    roomy = sum(seconds >= least + 2 * part for seconds in tracks)
    if roomy >= options.roomy * len(tracks):
        return least, part
    return options.short_prompt, min(options.short_part, most_part)


def place_of(seconds: float, least: float, part: float, options: CutOptions) -> float:
    """Returns the second at which a track of that length is cut: a third into it, as far as the parts leave room."""
    return round(min(max(least, seconds / 3), options.latest, seconds - 2 * part), 2)


def cuts_of(tracks: Sequence[Span], options: CutOptions, most_part: float = float("inf")) -> list[Cut]:
    """Cuts every track that is long enough. Both ends of a track must be known. most_part: see `lengths_for`."""
    lengths = [track.stop - track.start for track in tracks]
    least, part = lengths_for(lengths, options, most_part)
    return [
        Cut(track.path, track.start, track.start + place_of(length, least, part, options), part)
        for track, length in zip(tracks, lengths, strict=True)
        if length >= least + 2 * part
    ]
