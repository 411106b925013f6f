"""The guard against copying: how long what is played has run along each place of a memory, across any jump.

It goes by what is heard and not by places. A run that is left for a moment and taken up again goes on, and so does one
that is taken up where the recording repeats itself.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.views import running_mean, unit
from music_composer.errors import OptionError

AT_ONCE = 16  # steps that are compared with the memory in one product
LONGEST = 30_000  # steps of a run, beyond which it is not counted on


@dataclasses.dataclass(frozen=True)
class GuardOptions:
    """When two steps are one, and when a place of the memory is the prompt's own end."""

    alike: float = 0.96  # cosine of their shapes
    pooled: int = 2  # neighbouring bands that make one of a shape
    smoothed: int = 3  # steps that a shape is the mean of
    missed: int = 1  # steps that a run loses for each that is not alike
    every: int = 2  # steps from one that is compared to the next: each stands for so many
    end: float = 6.0  # seconds of the prompt's end that are sought in the memory
    follows: float = 2.0  # seconds that it runs along a place behind which the prompt truly goes on
    barred: float = 30.0  # seconds behind such a place that are never played

    def __post_init__(self) -> None:
        if not 0.0 < self.alike < 1.0 or min(self.pooled, self.smoothed, self.every, self.missed) < 1:
            raise OptionError(f"{self}: alike must lie between 0 and 1, and counts be at least 1.")
        if not 0.0 < self.follows <= self.end or self.barred < 0.0:
            raise OptionError(f"{self}: follows must lie between 0 and end, and barred not be below 0.")


def shapes_of(levels: np.ndarray, options: GuardOptions) -> np.ndarray:
    """Levels of one recording (steps, bands), dB -> (steps, bands // pooled), rows of length 1, however loud it is."""
    bands = levels.shape[1] // options.pooled * options.pooled
    pools = levels[:, : bands : options.pooled] / np.float32(options.pooled)
    for i in range(1, options.pooled):
        pools += levels[:, i : bands : options.pooled] / np.float32(options.pooled)
    pools -= pools @ np.full((pools.shape[1], 1), 1.0 / pools.shape[1], np.float32)
    return unit(running_mean(pools, options.smoothed))


def followed(
    runs: np.ndarray, played: np.ndarray, shapes: np.ndarray, firsts: np.ndarray, at: np.ndarray, options: GuardOptions
) -> np.ndarray:
    """The runs after some of the steps that are played.

    runs: int16 (places,), steps that what was played so far has run along each place of the memory, ending there.
    played: (steps, shape), what is played now. shapes: (places, shape) of the memory. firsts: the first place of each
    of its recordings. at: (any,), which of the steps are asked for, rising. Returns int16 (any, places).
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
        now, later = later, np.empty_like(runs) if now is runs else now
    return found


def continuations(
    prompt: np.ndarray, shapes: np.ndarray, firsts: np.ndarray, per_second: float, options: GuardOptions
) -> np.ndarray:
    """What truly follows the prompt where it is an excerpt of a memory, or very like one: bool (places,).

    prompt: its shapes, (steps, shape). shapes: (places, shape) of the memory without the prompt. firsts: the first
    place of each of its recordings. per_second: steps. A prompt of less than 3 s needs to be heard along 0.7 of its
    length; one of less than a second is too short to be found.
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
    """Whether to enter a place is to be where an earlier run would be by now, had it gone on: bool (times, entries).

    runs: (first place, last place, step at which it began to be played). now: the steps at which places would be
    entered, rising. entries: places that can be entered, rising. longest: steps after which a run is forgotten. near:
    steps by which a place may lie off. allowed: steps that a run may last together with what was left out of it.
    """
    result = np.zeros((len(now), len(entries)), bool)
    for first, last, begun in reversed(runs):
        if now[0] - (begun + last - first + 1) > longest:
            break
        expected = first + now - begun
        low, high = np.searchsorted(entries, expected - near), np.searchsorted(entries, expected + near)
        for row in range(len(now)):
            if now[row] - begun <= allowed:
                continue
            result[row, low[row] : high[row]] = True
    return result
