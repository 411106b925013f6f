"""A memory: the steps of all recordings end to end, and of the prompt as the last, with what they are compared by.

A place is the number of a step in the memory. Nothing of the prompt's recording behind the cut is in it, and where the
prompt is found in another recording, what follows it there is barred.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory import guard
from music_composer.audio.memory.analysis.colour import Colour, colour_of
from music_composer.audio.memory.analysis.heard import Heard, Recording
from music_composer.audio.memory.analysis.moods import beyond_familiar, moods_of
from music_composer.audio.memory.analysis.steps import Steps
from music_composer.audio.memory.analysis.views import (
    PAST,
    Basis,
    after_view,
    basis_of,
    mood_view,
    onset_view,
    past_views,
)
from music_composer.audio.memory.entries import attacks_of, entries_of, loudest_in, stretches_of
from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.segment_selection import most_alike, original_span
from music_composer.options import FrameOptions

COLUMNS = (*PAST, "after", "pattern", "coming")  # of the keys, in this order


@dataclasses.dataclass(frozen=True)
class Memory:
    """Arrays of all places, unless said otherwise.

    recordings: the prompt is the last, what was given beside it is before it. firsts: the first place of each, and one
    past the last place of all.
    part: which recording a place is of. last: the last place that a run through it may reach: the end of its recording,
    or of what is not barred. own: whether it is the prompt's, or beside it.
    beside: whether it is beside it. blend: of a blend, the share of what is beside the prompt in all that is its own.
    barred: whether it is never played.
    onsets: strength. attacks: strength of the onset that begins right behind a step, 0 without one.
    rows: (places, components). after: (places, components), the view of what follows. shapes: what the guard compares.
    entries: (entries,), places at which a run may be entered, rising. keys: (columns, entries), the views of the steps
    before them. mood: (entries,), how like any moment of the prompt's end what is around them is. strange: (entries,),
    how far it is from all that is familiar, in spreads of the prompt's moods. heard: places that count as heard before
    the cut. colour: None where the music is left as it is. per_second: steps. step: samples.
    """

    recordings: tuple[Recording, ...]
    firsts: np.ndarray
    part: np.ndarray
    last: np.ndarray
    own: np.ndarray
    beside: np.ndarray
    blend: float | None
    barred: np.ndarray
    onsets: np.ndarray
    attacks: np.ndarray
    rows: np.ndarray
    after: np.ndarray
    shapes: np.ndarray
    entries: np.ndarray
    keys: np.ndarray
    mood: np.ndarray
    strange: np.ndarray
    heard: np.ndarray
    colour: Colour | None
    per_second: float
    step: int

    def __len__(self) -> int:
        return len(self.part)


def memory_of(
    recordings: Sequence[Recording],
    heard: Heard,
    frame: FrameOptions,
    options: MemoryOptions,
    beside: Sequence[Heard] = (),
    kept_back: int = 0,
    blend: float | None = None,
) -> Memory:
    """The memory that a prompt is continued from. A silent prompt counts as if the loudest music had been heard.

    beside: what else was given and counts as the prompt's own. kept_back: steps at the beginning of each of these that
    are not played. blend: the share of these in the prompt's own, in its colour and in its mood; None where it is open.
    """
    walk, per_second = options.walk, frame.rate / (frame.hop * options.steps.frames)
    silent = not any((each.steps.levels > walk.silent_db).any() for each in (*beside, heard))
    remembered = _chosen([each for each in recordings if len(each.steps)], (heard, *beside), silent, frame, options)
    parts, given = (*remembered, *beside, heard), len(remembered)
    steps = [each.steps for each in parts]
    lengths = [len(each) for each in steps]
    firsts = np.cumsum([0, *lengths])
    part = np.repeat(np.arange(len(parts), dtype=np.int32), lengths)
    own, besides = part >= given, (part >= given) & (part < len(parts) - 1)
    audible = np.concatenate([each.levels.max(axis=1) > walk.silent_db for each in steps])
    basis = basis_of(steps[:given] or steps, options.views)
    painted = None if silent else _colour(heard, beside, blend, frame, options)

    barred = _barred(parts, firsts, per_second, options.guard)
    for i in range(given, given + len(beside)):
        barred[firsts[i] : min(firsts[i] + kept_back, firsts[i + 1])] = True
    rows, after, shapes = _compared(steps, painted, given, basis, options)
    onsets, attacks = np.concatenate([each.onsets for each in steps]), np.concatenate([attacks_of(s) for s in steps])
    first, last = stretches_of(firsts, barred)
    entries = entries_of(first, last, attacks, audible, barred, per_second, walk)
    place = loudest_in(steps, firsts, round(walk.heard * per_second)) if silent else firsts[-1] - 1
    so_far = np.arange(firsts[part[place]], place + 1)
    known, recent = (so_far[-round(seconds * per_second) :] for seconds in (walk.heard, walk.mood))
    whole = np.concatenate(rows)
    others = [each[-round(walk.mood * per_second) :] for each in rows[given : given + len(beside)]] if blend else []
    moods, spread = moods_of(others if blend == 1.0 else [whole[recent], *others], options.views)
    keys, alike = _keys(steps, rows, after, firsts, entries, moods, options)
    return Memory(
        parts,
        firsts,
        part,
        last,
        own,
        besides,
        blend,
        barred,
        onsets,
        attacks,
        whole,
        np.concatenate(after),
        np.concatenate(shapes),
        entries,
        keys,
        alike,
        beyond_familiar(alike, spread),
        known,
        painted,
        per_second,
        frame.hop * options.steps.frames,
    )


def _chosen(
    recordings: Sequence[Recording], given: Sequence[Heard], silent: bool, frame: FrameOptions, options: MemoryOptions
) -> list[Recording]:
    """The parts of recordings that are most like what is given, or like the loudest music where that is silent."""
    step = frame.hop * options.steps.frames
    per_second = frame.rate / step
    heard = round(options.walk.heard * per_second)
    ends = [each.steps.levels[-round(options.walk.mood * per_second) :] for each in given]
    if silent and recordings:
        steps = [each.steps for each in recordings]
        firsts = np.cumsum([0, *(len(each) for each in steps)])
        place = loudest_in(steps, firsts, heard)
        part = int(np.searchsorted(firsts, place, "right")) - 1
        last = place + 1 - int(firsts[part])
        ends = [steps[part].levels[max(0, last - heard) : last]]
    return most_alike(recordings, ends, per_second, step, options.views, options.selection)


def _compared(
    steps: Sequence[Steps], painted: Colour | None, given: int, basis: Basis, options: MemoryOptions
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Of each recording its rows, the views of what follows and the shapes; the first `given` are coloured."""
    rows, after, shapes = [], [], []
    for i, each in enumerate(steps):
        levels = each.levels + painted.gains(each.levels) if painted and i < given else each.levels
        rows.append(basis(levels))
        after.append(after_view(rows[-1], options.views))
        shapes.append(guard.shapes_of(levels, options.guard))
    return rows, after, shapes


def _keys(
    steps: Sequence[Steps],
    rows: Sequence[np.ndarray],
    after: Sequence[np.ndarray],
    firsts: np.ndarray,
    entries: np.ndarray,
    heard: np.ndarray,
    options: MemoryOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The views of the step before each entry, one above the other, and how like one of the moods that were heard,
    (moments, components), what is around it is.
    """
    views, keys, moods = options.views, [], []
    for i, each in enumerate(steps):
        here = entries[np.searchsorted(entries, firsts[i]) : np.searchsorted(entries, firsts[i + 1])] - firsts[i]
        before = np.maximum(here - 1, 0)
        found = past_views(rows[i], views, before) | {
            "after": after[i][before],
            "pattern": onset_view(each.onsets, before, 1 - views.pattern, views.pattern),
            "coming": onset_view(each.onsets, before, 1, views.coming),
        }
        keys.append(np.concatenate([found[name] for name in COLUMNS], axis=1))
        moods.append((mood_view(rows[i], views, before) @ heard.T).max(axis=1))
    across = np.empty((keys[0].shape[1], len(entries)), np.float32)  # in this order a product takes half the time
    np.concatenate([each.T for each in keys], axis=1, out=across)
    return across, np.concatenate(moods).astype(np.float32, copy=False)


def _colour(
    heard: Heard, beside: Sequence[Heard], blend: float | None, frame: FrameOptions, options: MemoryOptions
) -> Colour | None:
    """The prompt's, or that between it and what is beside it in a blend; None where music stays as it is."""
    if options.colour.strength == 0.0:
        return None
    colour, *others = (
        colour_of(each.steps.levels, frame, options.steps, options.colour)
        for each in (heard, *(beside if blend is not None else ()))
    )
    if blend is None:
        return colour
    aims = np.mean([each.aim for each in others], axis=0)
    return dataclasses.replace(colour, aim=(1 - blend) * colour.aim + blend * aims)


def _barred(
    parts: Sequence[Recording], firsts: np.ndarray, per_second: float, options: guard.GuardOptions
) -> np.ndarray:
    """bool (places,): what truly follows the prompt. It is sought in the music as it is, not as it is coloured.

    Before a part of a recording it is sought too, as far back as what follows it reaches into the part; of copies in
    other keys, in what they are made of.
    """
    result = np.zeros(firsts[-1], bool)
    if len(parts) == 1:
        return result
    lead = round((options.end + options.barred) * per_second)
    spans = [original_span(each, lead) for each in parts]
    shapes = [guard.shapes_of(each.steps.levels, options) for each in spans]
    begins = np.cumsum([0, *(len(each) for each in shapes[:-1])])
    found = guard.continuations(shapes[-1], np.concatenate(shapes[:-1]), begins[:-1], per_second, options)
    for part, span, first, begin in zip(parts[:-1], spans, firsts, begins, strict=False):
        at = span.skipped + (np.arange(len(part.steps)) * span.speed).astype(int)
        result[first : first + len(at)] = found[begin + np.minimum(at, len(span.steps) - 1)]
    return result
