"""A walk with a fixed end: after a given number of steps, at places from which given music follows best."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.views import beat, onset_view, past_views, unit
from music_composer.audio.memory.memory import Memory
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.walk import WalkState, departures_of, jump

SILENT = 1.0  # score lost for each step beyond the end of a recording
ARRIVES = 3.0  # weight of the fit at the end, relative to that of the last entry
TOO_LONG = 50.0  # score lost by a last run that is longer than a run may be

Run = tuple[int, int]  # its first and its last place


@dataclasses.dataclass(frozen=True)
class Landing:
    """The end of a walk.

    steps: from the cut on. part: the recording that follows, from its first step. fits: float32 (places,), the score of
    leaving each place for it.
    """

    steps: int
    part: int
    fits: np.ndarray


def landing_of(memory: Memory, part: int, steps: int, options: MemoryOptions) -> Landing:
    """Scores every place by how well recording `part` follows it.

    The past of the place is compared with the future of the landing in reverse, since the true past of the landing is
    unknown. Sound and onsets after both are compared too.
    """
    views, weights = options.views, options.walk.weights
    first, last = memory.firsts[part], memory.firsts[part + 1]
    rows, onsets = memory.rows[first:last], memory.onsets[first:last]
    backwards = rows[: views.long + views.near][::-1]
    wanted = past_views(backwards, views, np.array([len(backwards) - 1]))
    after = unit(rows[: views.after].mean(axis=0))
    coming = beat(np.pad(onsets[: views.coming], (0, max(0, views.coming - len(onsets)))))
    fits = []
    for i in range(len(memory.recordings)):
        places = slice(memory.firsts[i], memory.firsts[i + 1])
        at = np.arange(places.stop - places.start)
        found = past_views(memory.rows[places], views, at)
        score = np.float32(weights.after) * (memory.after[places] @ after)
        score += np.float32(weights.coming) * (onset_view(memory.onsets[places], at, 1, views.coming) @ coming)
        for name, view in found.items():
            score += np.float32(getattr(weights, name)) * (view @ wanted[name][0])
        fits.append(score)
    return Landing(steps, part, np.concatenate(fits).astype(np.float32))


def landed_runs(
    memory: Memory,
    state: WalkState,
    landing: Landing,
    options: MemoryOptions,
    walk: WalkOptions,
    rng: np.random.Generator,
    onsets: np.ndarray | None = None,
) -> list[Run]:
    """Returns all runs from the cut to the landing; the last may reach beyond its recording. The state is at the cut.

    The last run and the departure before it are chosen together, so that the last run ends at the landing. onsets:
    played by another walk from the cut on, with what follows.
    """
    runs: list[Run] = []
    per_second = memory.per_second
    least, short = round(walk.least * per_second), round(walk.most_training * per_second)
    while True:
        begun, left = state.begun, landing.steps - state.played
        departures, longest = state.history[-1:], 0
        if begun is not None:
            longest = round((walk.most_own if memory.own[begun] else walk.most_training) * per_second)
            departures = departures_of(memory, begun, walk)
            if left <= departures[0] + 1 - begun:
                return [*runs, (begun, begun + left - 1)]
            rest = left - (departures + 1 - begun)
            # Unless the next run is the last, the rest must have room for two.
            able = rest >= (least if left <= longest + short else 2 * least)
            departures = departures[able if able.any() else rest >= 1]
        rest = left - (departures + 1 - begun) if begun is not None else np.array([left])
        last = left <= longest + short
        extra = _last_scores(memory, landing, rest, walk) if last else None
        ahead = None if onsets is None else onsets[state.played :]
        leave, enter = jump(memory, state, departures, ahead, options, walk, rng, extra)
        if begun is not None:
            runs.append((begun, leave))
        state.begun = enter
        if last:
            return [*runs, (enter, enter + landing.steps - state.played - 1)]


def _last_scores(memory: Memory, landing: Landing, rest: np.ndarray, walk: WalkOptions) -> np.ndarray:
    """Scores last runs (departures, entries). rest: (departures,), the steps that are left at each departure."""
    entries = memory.entries
    ends = entries + rest[:, None] - 1
    inside = np.minimum(ends, memory.last[entries])
    limits = np.where(memory.own[entries], walk.most_own, walk.most_training) * memory.per_second
    score = np.float32(ARRIVES) * landing.fits[inside] - np.float32(SILENT) * (ends - inside)
    score -= np.float32(TOO_LONG) * (rest[:, None] > np.maximum(limits, rest.min()))
    return score.astype(np.float32)
