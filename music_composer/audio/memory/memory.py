"""A memory: the steps of all recordings in a row, the prompt last, with the views by which they are compared.

A place is the index of a step in the memory. It contains nothing of the prompt's recording behind the cut. Where the
prompt is found in another recording, what follows it there is barred.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.audio.memory import guard
from music_composer.audio.memory.analysis.colour import Colour, colour_of, limits_of
from music_composer.audio.memory.analysis.moods import beyond_familiar, moods_of
from music_composer.audio.memory.analysis.recordings import PromptRecording, Recording
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
from music_composer.audio.memory.entries import attacks_of, entries_of, loudest_in, segments_of
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.segment_selection import most_similar, original_span
from music_composer.audio.options import FrameOptions

COLUMNS = (*PAST, "after", "pattern", "coming")  # of the keys, in this order


@dataclasses.dataclass(frozen=True)
class Memory:
    """A prompt and the recordings to continue it from. Arrays have one entry for each place, unless said otherwise.

    recordings: the prompt is last, recordings given beside it come before it. firsts: the first place of each
    recording, and one past the last place.
    part: the recording of a place. last: the last place that a run through it may reach. own: whether it belongs to the
    prompt or to what was given beside it.
    beside: whether it was given beside the prompt. blend: share of these places among the prompt's own, in a blend.
    barred: whether it is never played.
    onsets: strength. attacks: strength of the onset that begins right after a step, 0 without one.
    rows: (places, components). after: (places, components), the view of the future. shapes: compared by the guard.
    entries: (entries,), rising places where a run may begin. keys: (columns, entries), the views of the steps before
    them. mood: (entries,), similarity to the most similar moment of the prompt's end. unfamiliarity: (entries,),
    distance beyond the familiar, in spreads of the prompt's moods. history: places that count as played before the cut.
    colour: None where music keeps its own spectrum. per_second: steps. step: samples.
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
    unfamiliarity: np.ndarray
    history: np.ndarray
    colour: Colour | None
    per_second: float
    step: int

    def __len__(self) -> int:
        return len(self.part)


def memory_of(
    recordings: Sequence[Recording],
    prompt: PromptRecording,
    frame: FrameOptions,
    options: MemoryOptions,
    beside: Sequence[PromptRecording] = (),
    kept_back: int = 0,
    blend: float | None = None,
) -> Memory:
    """Builds the memory for a prompt. A silent prompt is replaced by the loudest music of the memory.

    beside: further recordings that count as the prompt's own. kept_back: steps at the beginning of each of these that
    are not played. blend: their share of the prompt's own steps, of its colour and of its mood; None leaves it open.
    """
    walk, per_second = options.walk, frame.rate / (frame.hop * options.steps.frames)
    silent = not any((recording.steps.levels > walk.silent_db).any() for recording in (*beside, prompt))
    remembered = _chosen(
        [recording for recording in recordings if len(recording.steps)], (prompt, *beside), silent, frame, options
    )
    parts, given = (*remembered, *beside, prompt), len(remembered)
    steps = [recording.steps for recording in parts]
    lengths = [len(s) for s in steps]
    firsts = np.cumsum([0, *lengths])
    part = np.repeat(np.arange(len(parts), dtype=np.int32), lengths)
    own, besides = part >= given, (part >= given) & (part < len(parts) - 1)
    audible = np.concatenate([s.levels.max(axis=1) > walk.silent_db for s in steps])
    # Without training music the prompt itself gives the basis.
    basis = basis_of(steps[:given] or steps, options.views)
    painted = None if silent else _colour(steps[:given], prompt, beside, blend, frame, options)

    barred = _barred(parts, firsts, per_second, options.guard)
    for i in range(given, given + len(beside)):
        barred[firsts[i] : min(firsts[i] + kept_back, firsts[i + 1])] = True
    rows, after, shapes = _compared(steps, painted, given, basis, options)
    onsets = np.concatenate([s.onsets for s in steps])
    attacks = np.concatenate([attacks_of(s) for s in steps])
    first, last = segments_of(firsts, barred)
    entries = entries_of(first, last, attacks, audible, barred, per_second, walk)
    whole = np.concatenate(rows)
    history, recent = _heard(steps, firsts, silent, per_second, walk)
    others = [end[-round(walk.mood * per_second) :] for end in rows[given : given + len(beside)]] if blend else []
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
        history,
        painted,
        per_second,
        frame.hop * options.steps.frames,
    )


def _chosen(
    recordings: Sequence[Recording],
    given: Sequence[PromptRecording],
    silent: bool,
    frame: FrameOptions,
    options: MemoryOptions,
) -> list[Recording]:
    """Returns the parts of recordings most like the given sound, or like the loudest music where that is silent."""
    step = frame.hop * options.steps.frames
    per_second = frame.rate / step
    width = round(options.walk.history * per_second)
    ends = [recording.steps.levels[-round(options.walk.mood * per_second) :] for recording in given]
    if silent and recordings:
        steps = [recording.steps for recording in recordings]
        firsts = np.cumsum([0, *(len(s) for s in steps)])
        place = loudest_in(steps, firsts, width)
        part = int(np.searchsorted(firsts, place, "right")) - 1
        last = place + 1 - int(firsts[part])
        ends = [steps[part].levels[max(0, last - width) : last]]
    return most_similar(recordings, ends, per_second, step, options.views, options.selection)


def _heard(
    steps: Sequence[Steps], firsts: np.ndarray, silent: bool, per_second: float, walk: WalkOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places that count as played before the cut, and those whose moods are kept, both rising.

    They end with the prompt, or with the loudest music after a silent prompt.
    """
    last = loudest_in(steps, firsts, round(walk.history * per_second)) if silent else firsts[-1] - 1
    so_far = np.arange(firsts[np.searchsorted(firsts, last, "right") - 1], last + 1)
    return so_far[-round(walk.history * per_second) :], so_far[-round(walk.mood * per_second) :]


def _compared(
    steps: Sequence[Steps], painted: Colour | None, given: int, basis: Basis, options: MemoryOptions
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Returns rows, views of the future and shapes of each recording. The first `given` recordings are coloured."""
    rows, after, shapes = [], [], []
    for i, part in enumerate(steps):
        levels = part.levels + painted.gains(part.levels) if painted and i < given else part.levels
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
    prompt_moods: np.ndarray,
    options: MemoryOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the views of the step before each entry, and its similarity to the closest of the prompt's moods.

    prompt_moods: (moments, components).
    """
    views, keys, moods = options.views, [], []
    for i, part in enumerate(steps):
        places = entries[np.searchsorted(entries, firsts[i]) : np.searchsorted(entries, firsts[i + 1])] - firsts[i]
        before = np.maximum(places - 1, 0)
        found = past_views(rows[i], views, before) | {
            "after": after[i][before],
            "pattern": onset_view(part.onsets, before, 1 - views.pattern, views.pattern),
            "coming": onset_view(part.onsets, before, 1, views.coming),
        }
        keys.append(np.concatenate([found[name] for name in COLUMNS], axis=1))
        moods.append((mood_view(rows[i], views, before) @ prompt_moods.T).max(axis=1))
    across = np.empty((keys[0].shape[1], len(entries)), np.float32)  # this memory order halves the time of a product
    np.concatenate([views.T for views in keys], axis=1, out=across)
    return across, np.concatenate(moods).astype(np.float32, copy=False)


def _colour(
    music: Sequence[Steps],
    prompt: PromptRecording,
    beside: Sequence[PromptRecording],
    blend: float | None,
    frame: FrameOptions,
    options: MemoryOptions,
) -> Colour | None:
    """Returns the colour of the prompt, or a mixture in a blend; None where music keeps its own spectrum.

    music: what is coloured. It becomes no brighter than itself, and no louder than itself or the prompt.
    """
    if options.colour.strength == 0.0:
        return None
    colour, *others = (
        colour_of(recording.steps.levels, frame, options.steps, options.colour)
        for recording in (prompt, *(beside if blend is not None else ()))
    )
    if music:
        limits = limits_of([part.levels for part in music], colour.centres, colour.per_second, options.colour)
        limits = dataclasses.replace(limits, loudest=max(limits.loudest, colour.limits.loudest))
        colour = dataclasses.replace(colour, limits=limits)
    if blend is None:
        return colour
    aims = np.mean([other.aim for other in others], axis=0)
    return dataclasses.replace(colour, aim=(1 - blend) * colour.aim + blend * aims)


def _barred(
    parts: Sequence[Recording], firsts: np.ndarray, per_second: float, options: guard.GuardOptions
) -> np.ndarray:
    """Returns bool (places,): what truly follows the prompt. The uncoloured music is searched.

    The search covers as much music before a part as what follows it may reach into the part. For transposed copies,
    their originals are searched.
    """
    result = np.zeros(firsts[-1], bool)
    if len(parts) == 1:
        return result
    lead = round((options.end + options.barred) * per_second)
    spans = [original_span(recording, lead) for recording in parts]
    shapes = [guard.shapes_of(span.steps.levels, options) for span in spans]
    begins = np.cumsum([0, *(len(rows) for rows in shapes[:-1])])
    found = guard.continuations(shapes[-1], np.concatenate(shapes[:-1]), begins[:-1], per_second, options)
    for part, span, first, begin in zip(parts[:-1], spans, firsts, begins, strict=False):
        at = span.skipped + (np.arange(len(part.steps)) * span.speed).astype(int)
        result[first : first + len(at)] = found[begin + np.minimum(at, len(span.steps) - 1)]
    return result
