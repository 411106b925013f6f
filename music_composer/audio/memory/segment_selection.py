"""Selects the segments of recordings most like a prompt, of which a memory is built.

The cost of playing grows with the number of entries. A memory of bounded length plays hours of music as fast as
minutes.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory.analysis.moods import moods_of
from music_composer.audio.memory.analysis.recordings import Recording
from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.analysis.transposed import Transposed
from music_composer.audio.memory.analysis.views import Basis, ViewOptions, basis_of, unit
from music_composer.errors import OptionError

THINNED = 16  # steps from one to the next that a basis is made from


@dataclasses.dataclass(frozen=True)
class SelectionOptions:
    """Parameters of the selection, in seconds."""

    # As good as a whole album of 42 minutes, at a cost that does not grow with the album.
    longest: float = 1200.0  # of music in a memory, without the prompt
    segment: float = 20.0  # unit of selection

    def __post_init__(self) -> None:
        if not 0.0 < self.segment <= self.longest:
            raise OptionError(f"{self}: segment must be above 0 and not above longest.")


@dataclasses.dataclass(frozen=True)
class Part:
    """Steps first..last of a recording, as a recording. Sound outside of them is that of the recording."""

    recording: Recording
    first: int
    last: int
    step: int  # samples

    @functools.cached_property
    def steps(self) -> Steps:
        return _between(self.recording.steps, self.first, self.last)

    def sound(self, first: int, last: int) -> np.ndarray:
        """See `Recording`."""
        return self.recording.sound(first + self.first * self.step, last + self.first * self.step)


@dataclasses.dataclass(frozen=True)
class Span:
    """Steps of an original recording.

    skipped: steps of it before the requested ones. speed: its steps for each step of the copy.
    """

    steps: Steps
    skipped: int
    speed: float


def original_span(recording: Recording, lead: int) -> Span:
    """Returns the original of a recording, part or transposed copy, with up to `lead` steps before it."""
    whole, first, last, speed = recording, 0, len(recording.steps), 1.0
    if isinstance(recording, Part):
        whole, first, last = recording.recording, recording.first, recording.last
    if isinstance(whole, Transposed):
        speed = whole.speed
        whole, first, last = whole.recording, int(first * speed), int(np.ceil(last * speed))
        last = min(last, len(whole.steps))
    begin = max(0, first - lead)
    return Span(_between(whole.steps, begin, last), first - begin, speed)


def _between(steps: Steps, first: int, last: int) -> Steps:
    return Steps(steps.levels[first:last], steps.onsets[first:last])


def most_similar(
    recordings: Sequence[Recording],
    ends: Sequence[np.ndarray],
    per_second: float,
    step: int,
    views: ViewOptions,
    options: SelectionOptions,
) -> list[Recording]:
    """Returns all recordings if they are short enough together, else the segments most like any of the prompts' moods.

    ends: levels (steps, bands) of the ends of the prompts. per_second: steps. step: samples. Adjacent segments stay
    together, in the order of the recordings.
    """
    most, length = round(options.longest * per_second), round(options.segment * per_second)
    if sum(len(recording.steps) for recording in recordings) <= most:
        return list(recordings)
    basis = basis_of(
        [Steps(recording.steps.levels[::THINNED], recording.steps.onsets[::THINNED]) for recording in recordings], views
    )
    moods, _ = moods_of([basis(end) for end in ends], views)
    edges = [_edges(len(recording.steps), length) for recording in recordings]
    alike = np.concatenate(
        [_alike(recording.steps, at, moods, basis) for recording, at in zip(recordings, edges, strict=True)]
    )
    lengths = np.concatenate([np.diff(at) for at in edges])
    order = np.argsort(-alike, kind="stable")
    chosen = np.zeros(len(alike), bool)
    # At least one segment, even if it is longer than the limit.
    chosen[order[: max(1, np.searchsorted(np.cumsum(lengths[order]), most, "right"))]] = True
    found: list[Recording] = []
    for recording, at, kept in zip(
        recordings, edges, np.split(chosen, np.cumsum([len(at) - 1 for at in edges])[:-1]), strict=True
    ):
        bounds = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(np.int8), [0]])))
        found += [Part(recording, int(at[a]), int(at[b]), step) for a, b in bounds.reshape(-1, 2)]
    return found


def _edges(steps: int, length: int) -> np.ndarray:
    """Returns the bounds of equal segments of about `length` steps, (segments + 1,)."""
    return np.linspace(0, steps, max(1, round(steps / length)) + 1).round().astype(int)


def _alike(steps: Steps, edges: np.ndarray, moods: np.ndarray, basis: Basis) -> np.ndarray:
    """Returns the cosine of each segment's mean and the mood most like it, (segments,)."""
    sums = np.add.reduceat(steps.levels, edges[:-1], axis=0)
    means = sums / np.diff(edges)[:, None]
    return (unit(basis(means)) @ moods.T).max(axis=1)
