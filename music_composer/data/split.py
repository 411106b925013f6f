"""Which parts of the music are trained on and which are held out for validation: decided once, kept in the run folder.

The hash of a recording's content decides, so neither names nor the order of files matter. Of few recordings each holds
out a part of its own; of `whole_from` recordings or more, whole ones are held out. Copies, resamplings and re-encodings
follow the recording that they are made from. What was decided is never decided again: a recording that comes later gets
its own decision, and whatever was trained on stays training music.
The file is written by `data.split_file`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence

from music_composer.data.fingerprints import is_fingerprint, same_recordings
from music_composer.errors import OptionError
from music_composer.options import require_within

WHOLE_FROM = 8  # recordings of sound
LONG_SHARE = 0.25  # a recording that is more of the music than this is not held out whole
MOST_FRAMES = 2**48
CONTENT = re.compile("[0-9a-f]{16,64}")
GUARD = 16  # frames beside a held-out part that a re-encoding of its recording leaves out: 0.2 s

Span = tuple[int, int]  # frames start..stop of a recording, from its beginning
WHOLE: Span = (0, 2**62)


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Track:
    """What the split needs to know of one recording.

    source: its name, for messages. content: hash of what it holds, hexadecimal. start, stop: the frames between its
    silent ends, of `frames` in all. fingerprint: see `data.fingerprints`; "" where there is none.
    """

    source: str
    content: str
    start: int
    stop: int
    frames: int
    fingerprint: str = ""

    def __post_init__(self) -> None:
        """Raises OptionError for what no recording can be."""
        if not CONTENT.fullmatch(self.content) or not is_fingerprint(self.fingerprint):
            raise OptionError(f"the hash or the fingerprint of {self.source!r} is none")
        if not 0 <= self.start <= self.stop <= self.frames <= MOST_FRAMES:
            raise OptionError(f"{self.source!r} has frames {self.start} to {self.stop} of {self.frames}")

    @property
    def span(self) -> Span:
        return self.start, self.stop


@dataclasses.dataclass(frozen=True, slots=True)  # there may be very many
class Decision:
    """What was decided of one recording: frames that are trained on, and frames that never are."""

    track: Track
    training: tuple[Span, ...]
    validation: tuple[Span, ...]

    def __post_init__(self) -> None:
        """Raises OptionError for parts that overlap or lie nowhere."""
        spans = sorted([*self.training, *self.validation])
        edges = [edge for span in spans for edge in span]
        if edges != sorted(edges) or not all(0 <= start < stop <= MOST_FRAMES for start, stop in spans):
            raise OptionError(f"the parts of {self.track.source!r} overlap")


@dataclasses.dataclass(frozen=True)
class Split:
    """held_out: share of the music. window: frames that training music needs beside a held-out part; unit: frames that
    parts are held out in multiples of, 0 where only whole recordings are. least: frames that are left to train on.
    """

    held_out: float
    window: int
    unit: int
    least: int = 1
    whole_from: int = WHOLE_FROM
    decisions: tuple[Decision, ...] = ()

    def __post_init__(self) -> None:
        """Raises OptionError for numbers that are out of range, and for two decisions about one recording."""
        require_within(self, 0.0, 0.9, "held_out")
        require_within(self, 0, MOST_FRAMES, "window", "unit", "least", "whole_from")
        if len(self.by_content) < len(self.decisions):
            raise OptionError("two decisions about one recording")

    @functools.cached_property
    def by_content(self) -> dict[str, Decision]:
        return {decision.track.content: decision for decision in self.decisions}


def extended(split: Split, tracks: Sequence[Track]) -> Split:
    """The split with decisions for tracks that it does not know yet. No decision that is there changes."""
    unknown = {t.content: t for t in sorted(tracks, key=lambda t: t.source, reverse=True)}
    new = [unknown[content] for content in sorted(unknown) if content not in split.by_content]
    if not new:
        return split
    present = {track.content for track in tracks}
    replaced = {d.track.source: _as_a_whole(d) for d in split.decisions if d.track.content not in present}
    decided: dict[str, Decision] = {}
    free: list[list[Track]] = []  # groups of which nothing is decided
    groups = _groups(split.decisions, new)
    for olds, news in groups:
        models = olds or [replaced[track.source] for track in news if track.source in replaced]
        if models:
            decided |= {track.content: _following(track, models) for track in news}
        elif news:
            free.append(news)
    leaders = [news[0] for news in free]
    chosen = _later(split, leaders, len(groups)) if split.decisions else _first(split, leaders)
    for (leader, *followers), decision in zip(free, chosen, strict=True):
        decided[leader.content] = decision
        decided |= {track.content: _following(track, [decision]) for track in followers}
    return dataclasses.replace(split, decisions=(*split.decisions, *(decided[track.content] for track in new)))


def everything_trained_on(split: Split, tracks: Sequence[Track]) -> Split:
    """A split that calls nothing unseen: for models whose own split was not kept."""
    return dataclasses.replace(split, decisions=tuple(_all_training(track) for track in tracks))


def changes(split: Split, tracks: Sequence[Track]) -> tuple[list[str], list[str]]:
    """Names of the tracks that a split does not know, and of recordings of it that are not among the tracks."""
    present = {track.content for track in tracks}
    new = sorted(track.source for track in tracks if track.content not in split.by_content)
    return new, sorted(d.track.source for d in split.decisions if d.track.content not in present)


def _first(split: Split, leaders: Sequence[Track]) -> list[Decision]:
    """Decisions for the recordings that a run begins with."""
    total = sum(track.stop - track.start for track in leaders)
    whole = _held_out_whole(split, leaders, total)
    decisions = []
    for track in leaders:
        if track.content in whole:
            decisions.append(Decision(track, (), (track.span,)))
        elif len(leaders) >= split.whole_from and not _is_long(split, track, total):
            decisions.append(_all_training(track))
        else:
            decisions.append(_part_held_out(split, track))
    if split.held_out and split.unit and not any(decision.validation for decision in decisions):
        longest = max(range(len(leaders)), key=lambda i: (leaders[i].stop - leaders[i].start, leaders[i].content))
        decisions[longest] = _end_held_out(split, leaders[longest])
    left = sum(stop - start for decision in decisions for start, stop in decision.training)
    return decisions if left >= split.least else [_all_training(track) for track in leaders]


def _held_out_whole(split: Split, leaders: Sequence[Track], total: int) -> set[str]:
    """Contents of the recordings that are held out whole: those whose hashes come first."""
    if len(leaders) < split.whole_from or not split.held_out:
        return set()
    fit = [track.content for track in leaders if not _is_long(split, track, total)]
    count = min(len(leaders) - 1, max(1, round(split.held_out * len(fit))))
    return set(sorted(fit, key=lambda content: _draw(content, "whole"))[:count])


def _later(split: Split, leaders: Sequence[Track], count: int) -> list[Decision]:
    """Decisions for recordings that join a run, which has `count` with them."""
    olds = [decision.track for decision in split.decisions]
    total = sum(track.stop - track.start for track in [*olds, *leaders])
    decisions = []
    for track in leaders:
        if count < split.whole_from or _is_long(split, track, total):
            decisions.append(_part_held_out(split, track))
        elif _draw(track.content, "whole") < split.held_out:
            decisions.append(Decision(track, (), (track.span,)))
        else:
            decisions.append(_all_training(track))
    return decisions


def _is_long(split: Split, track: Track, total: int) -> bool:
    return split.unit > 0 and track.stop - track.start > LONG_SHARE * total


def _part_held_out(split: Split, track: Track) -> Decision:
    """Holds out one run of units at a place that the hash chooses, where the recording is long enough to spare one.

    The run moves to an end where what is left on that side would be too short to learn from.
    """
    frames = track.stop - track.start
    units = frames // split.unit if split.unit else 0
    length = round(units * split.held_out) * split.unit
    if not length:
        return _all_training(track)
    first = split.unit * int(_draw(track.content, "place") * (units - length // split.unit + 1))
    if first < split.window:
        first = 0
    if frames - first - length < split.window:
        first = frames - length
    if 0 < first < split.window:
        return _all_training(track)
    return _cut_out(track, (track.start + first, track.start + first + length))


def _end_held_out(split: Split, track: Track) -> Decision:
    """Where no recording can spare its share, the longest spares a unit at its end, if two windows stay before it."""
    if track.stop - track.start < 2 * split.window + split.unit:
        return _all_training(track)
    return _cut_out(track, (track.stop - split.unit, track.stop))


def _cut_out(track: Track, held_out: Span) -> Decision:
    return Decision(track, tuple(_without([track.span], [held_out])), (held_out,))


def _all_training(track: Track) -> Decision:
    return Decision(track, (track.span,), ())


def _following(track: Track, models: Sequence[Decision]) -> Decision:
    """What others have decided of the same music: nothing is trained on that one of them holds out, nor held out that
    one of them trains on. A model without the one part has all of the other, whatever its length.
    """
    trained = [span for model in models for span in (model.training if model.validation else (WHOLE,))]
    spared = [span for model in models for span in (model.validation if model.training else (WHOLE,))]
    here = [track.span]
    training = _without(here, _widened(spared))
    validation = _without(_without(here, _without(here, spared)), _widened(trained))
    return Decision(track, tuple(training), tuple(validation))


def _as_a_whole(decision: Decision) -> Decision:
    """For a recording in another's place, of which nobody knows what it has in common with that one."""
    return _all_training(decision.track) if decision.training else decision


def _widened(spans: Iterable[Span]) -> list[Span]:
    return [(start - GUARD, stop + GUARD) for start, stop in spans]


def _without(spans: Iterable[Span], cuts: Iterable[Span]) -> list[Span]:
    """Spans less what the cuts cover."""
    left = list(spans)
    for begin, end in cuts:
        pieces = [piece for start, stop in left for piece in ((start, min(stop, begin)), (max(start, end), stop))]
        left = [(start, stop) for start, stop in pieces if start < stop]
    return sorted(left)


def _groups(olds: Sequence[Decision], news: Sequence[Track]) -> list[tuple[list[Decision], list[Track]]]:
    """What is decided and what is new, each recording together with its re-encodings."""
    tracks = [*(decision.track for decision in olds), *news]
    root = list(range(len(tracks)))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for one, other in same_recordings([t.fingerprint for t in tracks], [t.frames for t in tracks]):
        root[find(one)] = find(other)
    groups: dict[int, tuple[list[Decision], list[Track]]] = {}
    for i in range(len(tracks)):
        group = groups.setdefault(find(i), ([], []))
        if i < len(olds):
            group[0].append(olds[i])
        else:
            group[1].append(tracks[i])
    return list(groups.values())


def _draw(content: str, purpose: str) -> float:
    """A number from 0 to 1 that depends on the content alone."""
    digest = hashlib.blake2b(f"{purpose} {content}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
