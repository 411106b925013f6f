"""The guard against copying. It counts how long the music has run along each place of the memory, across any jump.

It compares sound, not places: a run that is left for a moment and resumed continues, and so does one that resumes where
the recording repeats itself.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.views import running_mean, unit
from music_composer.errors import OptionError

AT_ONCE = 16  # steps compared with the memory in one product
LONGEST = 30_000  # steps of a run; counting stops there


@dataclasses.dataclass(frozen=True)
class GuardOptions:
    """When two steps count as the same, and when a place of the memory is the prompt's own end."""

    alike: float = 0.96  # cosine of their shapes from which two steps are the same
    pooled: int = 2  # neighbouring bands averaged in a shape
    smoothed: int = 3  # steps averaged in a shape
    missed: int = 1  # steps that a run loses for each step that differs
    every: int = 2  # only every such step is compared and stands for all of them
    end: float = 6.0  # seconds of the prompt's end to search for in the memory
    follows: float = 2.0  # seconds along a place that prove that the memory contains the prompt's end
    barred: float = 30.0  # seconds behind such a place that are never played

    def __post_init__(self) -> None:
        if not 0.0 < self.alike < 1.0 or min(self.pooled, self.smoothed, self.every, self.missed) < 1:
            raise OptionError(f"{self}: alike must lie between 0 and 1, and counts be at least 1.")
        if not 0.0 < self.follows <= self.end or self.barred < 0.0:
            raise OptionError(f"{self}: follows must lie between 0 and end, and barred not be below 0.")


def shapes_of(levels: np.ndarray, options: GuardOptions) -> np.ndarray:
    """Levels of one recording (steps, bands), dB -> shapes (steps, bands // pooled), unit rows that ignore loudness."""
    bands = levels.shape[1] // options.pooled * options.pooled
    pools = levels[:, : bands : options.pooled] / np.float32(options.pooled)
    for i in range(1, options.pooled):
        pools += levels[:, i : bands : options.pooled] / np.float32(options.pooled)
    pools -= pools @ np.full((pools.shape[1], 1), 1.0 / pools.shape[1], np.float32)
    return unit(running_mean(pools, options.smoothed))


def followed(
    runs: np.ndarray, played: np.ndarray, shapes: np.ndarray, firsts: np.ndarray, at: np.ndarray, options: GuardOptions
) -> np.ndarray:
    """Updates run lengths after some of the played steps.

    runs: int16 (places,), the steps that the music so far has run along each place, ending there. played: (steps,
    shape), the new steps. shapes: (places, shape) of the memory. firsts: the first place of each recording. at: (any,),
    rising, the steps to report. Returns int16 (any, places).

    A run score without gaps, after Smith and Waterman 1981 ("Identification of common molecular subsequences").
    """
    found, missed, every = np.empty((len(at), len(runs)), np.int16), options.missed, options.every
    now, later, wanted = np.minimum(runs, LONGEST), np.empty_like(runs), {int(step): i for i, step in enumerate(at)}
    for step in range(int(at[-1]) + 1):
        compared, off = divmod(step, every)
        if off == 0 and compared % AT_ONCE == 0:
            alike = played[step : step + AT_ONCE * every : every] @ shapes.T > np.float32(options.alike)
            changes = alike.astype(np.int16)
            changes *= 1 + missed
            changes -= missed
        change = changes[compared % AT_ONCE]
        later[0] = change[0] if off == 0 else -missed
        if off == 0:
            np.add(now[:-1], change[1:], out=later[1:])
            later[firsts] = change[firsts]
        else:  # a step that is not compared goes along the same diagonal
            later[1:off] = now[: off - 1] - missed
            np.add(now[off - 1 : -1], change[:-off], out=later[off:])
            later[firsts] = -missed
        np.maximum(later, 0, out=later)
        if step in wanted:
            found[wanted[step]] = later
        # Two buffers take turns; the array of the caller is never overwritten.
        now, later = later, np.empty_like(runs) if now is runs else now
    return found


def continuations(
    prompt: np.ndarray, shapes: np.ndarray, firsts: np.ndarray, per_second: float, options: GuardOptions
) -> np.ndarray:
    """Finds what truly follows the prompt in a memory that contains it, or something very like it: bool (places,).

    prompt: its shapes (steps, shape). shapes: (places, shape) of the memory without the prompt. firsts: the first place
    of each recording. per_second: steps. A prompt of less than 3 s must match along 0.7 of its length; a prompt of less
    than a second is too short to be found.
    """
    barred = np.zeros(len(shapes), bool)
    end = prompt[-round(options.end * per_second) :]
    if len(end) < per_second or not len(shapes):
        return barred
    runs = followed(np.zeros(len(shapes), np.int16), end, shapes, firsts, np.array([len(end) - 1]), options)[0]
    lasts = np.append(firsts[1:], len(shapes))
    for place in np.flatnonzero(runs >= min(options.follows * per_second, 0.7 * len(end))):
        last = lasts[np.searchsorted(firsts, place, "right") - 1]
        barred[place + 1 : min(place + 1 + round(options.barred * per_second), last)] = True
    return barred


def returning(
    runs: list[tuple[int, int, int]],
    now: np.ndarray,
    entries: np.ndarray,
    longest: float,
    near: int,
    allowed: float,
) -> np.ndarray:
    """Returns whether entering a place resumes an earlier run where it would be by now: bool (times, entries).

    runs: (first place, last place, step at which it began to play). now: rising, the steps at which places would be
    entered. entries: rising places. longest: steps after which a run is forgotten. near: tolerance in places. allowed:
    steps that a run may last together with the part that was skipped.
    """
    result = np.zeros((len(now), len(entries)), bool)
    for first, last, begun in reversed(runs):
        # Runs are in playing order: all before this one are forgotten too.
        if now[0] - (begun + last - first + 1) > longest:
            break
        expected = first + now - begun
        low, high = np.searchsorted(entries, expected - near), np.searchsorted(entries, expected + near)
        for row in range(len(now)):
            if now[row] - begun <= allowed:
                continue
            result[row, low[row] : high[row]] = True
    return result
