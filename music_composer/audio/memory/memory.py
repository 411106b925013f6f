"""A memory: the steps of all recordings end to end, and of the prompt as the last, with what they are compared by.

A place is the number of a step in the memory. Nothing of the prompt's recording behind the cut is in it, and where the
prompt is found in another recording, what follows it there is barred.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from music_composer.audio.frames import blocks_to_bands
from music_composer.audio.memory import guard
from music_composer.audio.memory.colour import Colour, colour_of
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.steps import StepOptions, Steps, steps_of
from music_composer.audio.memory.views import (
    PAST,
    ViewOptions,
    after_view,
    basis_of,
    mood_view,
    onset_view,
    past_views,
    running_mean,
)
from music_composer.errors import OptionError
from music_composer.options import FrameOptions
from music_composer.values import Waveform

AT_ONCE = 2**19  # samples of a prompt that are made steps together
COLUMNS = (*PAST, "after", "pattern", "coming")  # of the keys, in this order


class Recording(Protocol):
    """What is remembered of a recording: `store.Remembered` is one."""

    @property
    def steps(self) -> Steps: ...

    def sound(self, first: int, last: int) -> np.ndarray:
        """Samples first..last, float32 (samples, channels), silent outside the recording."""


@dataclasses.dataclass(frozen=True)
class Heard:
    """The prompt as a recording."""

    steps: Steps
    samples: np.ndarray

    def sound(self, first: int, last: int) -> np.ndarray:
        """As `Recording` has it."""
        sound = np.zeros((last - first, self.samples.shape[1]), np.float32)
        start, stop = max(first, 0), min(last, len(self.samples))
        if start < stop:
            sound[start - first : stop - first] = self.samples[start:stop]
        return sound


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
    before them. mood: (entries,), how like any moment of the prompt's end what is around them is. heard: places that
    count as heard before the cut. colour: None where the music is left as it is. per_second: steps. step: samples.
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
    heard: np.ndarray
    colour: Colour | None
    per_second: float
    step: int

    def __len__(self) -> int:
        return len(self.part)


def hear(prompt: Waveform, frame: FrameOptions, options: StepOptions) -> Heard:
    """The prompt's steps, the last of which ends at the cut; less than a step is left out at its beginning.

    Beyond its ends the prompt is mirrored, so that the last steps hear no silence that is not there. Raises OptionError
    for a prompt at another rate, or of less than three steps.
    """
    step = frame.hop * options.frames
    count = len(prompt.samples) // step
    if prompt.rate != frame.rate or count < 3:
        raise OptionError(
            f"the prompt has {len(prompt.samples)} samples at {prompt.rate} Hz: it needs {3 * step} at {frame.rate} Hz"
        )
    samples = np.ascontiguousarray(prompt.samples[len(prompt.samples) - count * step :], np.float32)
    edge = step * -(-frame.window // (2 * step))
    mono = np.pad(samples.mean(axis=1, keepdims=True), ((edge, edge), (0, 0)), "reflect")
    blocks = (mono[at : at + AT_ONCE] for at in range(0, len(mono), AT_ONCE))
    bands = np.concatenate(
        [each.astype(np.float16) for each in blocks_to_bands(blocks, frame)]
    )  # as the cache has them
    skipped = edge // frame.hop
    return Heard(steps_of(bands[skipped : skipped + count * options.frames], options), samples)


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
    remembered = [each for each in recordings if len(each.steps)]
    parts, given = (*remembered, *beside, heard), len(remembered)
    steps = [each.steps for each in parts]
    lengths = [len(each) for each in steps]
    firsts = np.cumsum([0, *lengths])
    part = np.repeat(np.arange(len(parts), dtype=np.int32), lengths)
    own, besides = part >= given, (part >= given) & (part < len(parts) - 1)
    audible = np.concatenate([each.levels.max(axis=1) > walk.silent_db for each in steps])
    silent = not audible[own].any()
    basis = basis_of(steps[:given] or steps, options.views)
    colour = colour_of(heard.steps.levels, frame, options.steps, options.colour)
    if blend is not None:
        aims = [colour_of(each.steps.levels, frame, options.steps, options.colour).aim for each in beside]
        colour = dataclasses.replace(colour, aim=(1 - blend) * colour.aim + blend * np.mean(aims, axis=0))
    painted = None if silent or options.colour.strength == 0.0 else colour

    barred = _barred(steps, firsts, per_second, options.guard)
    for i in range(given, given + len(beside)):
        barred[firsts[i] : min(firsts[i] + kept_back, firsts[i + 1])] = True
    rows, after, shapes = [], [], []
    for i, each in enumerate(steps):
        levels = each.levels + painted.gains(each.levels) if painted and i < given else each.levels
        rows.append(basis(levels))
        after.append(after_view(rows[-1], options.views))
        shapes.append(guard.shapes_of(levels, options.guard))
    onsets, attacks = np.concatenate([each.onsets for each in steps]), np.concatenate([_attacks(s) for s in steps])
    first, last = _stretches(firsts, barred)
    entries = _entries(first, last, attacks, audible, barred, per_second, walk)
    place = _loudest(steps, firsts, round(walk.heard * per_second)) if silent else firsts[-1] - 1
    so_far = np.arange(firsts[part[place]], place + 1)
    known, recent = (so_far[-round(seconds * per_second) :] for seconds in (walk.heard, walk.mood))
    whole = np.concatenate(rows)
    moods_heard = [] if blend == 1.0 else [_moods(whole[recent], options.views)]
    if blend:
        ends = (rows[i][-round(walk.mood * per_second) :] for i in range(given, given + len(beside)))
        moods_heard += [_moods(end, options.views) for end in ends]
    keys, moods = _keys(steps, rows, after, firsts, entries, np.concatenate(moods_heard), options)
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
        moods,
        known,
        painted,
        per_second,
        frame.hop * options.steps.frames,
    )


def _barred(steps: Sequence[Steps], firsts: np.ndarray, per_second: float, options: guard.GuardOptions) -> np.ndarray:
    """bool (places,): what truly follows the prompt. It is sought in the music as it is, not as it is coloured."""
    shapes = [guard.shapes_of(each.levels, options) for each in steps]
    result = np.zeros(firsts[-1], bool)
    if len(steps) > 1:
        result[: firsts[-2]] = guard.continuations(
            shapes[-1], np.concatenate(shapes[:-1]), firsts[:-2], per_second, options
        )
    return result


def _stretches(firsts: np.ndarray, barred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each place the first and the last one of the stretch that no run may leave."""
    cuts = np.union1d(firsts, np.flatnonzero(np.diff(barred)) + 1)
    return np.repeat(cuts[:-1], np.diff(cuts)), np.repeat(cuts[1:] - 1, np.diff(cuts))


def _attacks(steps: Steps) -> np.ndarray:
    """The strength of each peak among the onsets, a step before it."""
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(steps.onsets, 2), 5).max(axis=1)
    peaks = np.where(steps.onsets == highest, steps.onsets, np.float32(0.0))
    return np.append(peaks[1:], np.float32(0.0))


def _entries(
    first: np.ndarray,
    last: np.ndarray,
    attacks: np.ndarray,
    audible: np.ndarray,
    barred: np.ndarray,
    per_second: float,
    options: WalkOptions,
) -> np.ndarray:
    """Places at which a run may be entered: at onsets and here and there between, with room for two runs behind them.

    Where there are none, the rules are given up one by one: the room, the sound, and all but what is barred.
    """
    place = np.arange(len(first))
    inside, room = place - first >= 2, last - place
    picked = (attacks > options.onset) | (place % options.between == 0)
    for able in (
        audible & inside & picked & (room >= 2 * round(options.least * per_second)),
        audible & (room >= 3),
        room >= 3,
        room >= 0,
    ):
        if (able & ~barred).any():
            return np.flatnonzero(able & ~barred)
    raise OptionError("a memory without any place that may be played")  # the prompt is never barred


def _loudest(steps: Sequence[Steps], firsts: np.ndarray, width: int) -> int:
    """The last place of the `width` steps that are loudest together."""
    best, found = -np.inf, 0
    for each, first in zip(steps, firsts[:-1], strict=True):
        power = running_mean(np.exp(each.levels * np.float32(np.log(10.0) / 10.0)).sum(axis=1, keepdims=True), width)
        power = power[min(width, len(power)) - 1 :, 0]
        if power.max() > best:
            best, found = float(power.max()), int(first + min(width, len(each)) - 1 + power.argmax())
    return found


def _moods(heard: np.ndarray, views: ViewOptions) -> np.ndarray:
    """The moods of rows that were heard (steps, components): (moments, components), the last of them of the end."""
    moments = np.arange(len(heard) - 1, -1, -views.mood)[::-1]
    return mood_view(heard, views, moments)


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
