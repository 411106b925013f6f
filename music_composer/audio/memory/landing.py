"""A walk that ends where it must: behind so many steps, at places from which given music goes on best."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.views import beat, onset_view, past_views, unit
from music_composer.audio.memory.memory import Memory
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.walk import WalkState, departures_of, jump

SILENT = 1.0  # score taken away for each step that is missing at the end of a recording
ARRIVES = 3.0  # times that how well the landing fits counts, beside how well the last run is entered
TOO_LONG = 50.0  # of a last run that is longer than a run may be

Run = tuple[int, int]  # its first and its last place


@dataclasses.dataclass(frozen=True)
class Landing:
    """Where a walk ends.

    steps: from the cut on. part: the recording that follows, with its first step. fits: float32 (places,), the score of
    leaving each place for it.
    """

    steps: int
    part: int
    fits: np.ndarray


def landing_of(memory: Memory, part: int, steps: int, options: MemoryOptions) -> Landing:
    """What is compared is what lies before a place with what follows the landing, backwards, since nothing is known of
    what lies before that; and what follows both: its sound, and its onsets."""
    views, weights = options.views, options.walk.weights
    first, last = memory.firsts[part], memory.firsts[part + 1]
    rows, onsets = memory.rows[first:last], memory.onsets[first:last]
    backwards = rows[: views.long + views.near][::-1]
    wanted = past_views(backwards, views, np.array([len(backwards) - 1]))
    after = unit(rows[: views.after].mean(axis=0))
    coming = beat(np.pad(onsets[: views.coming], (0, max(0, views.coming - len(onsets)))))
    fits = []
    for i in range(len(memory.recordings)):
        here = slice(memory.firsts[i], memory.firsts[i + 1])
        at = np.arange(here.stop - here.start)
        found = past_views(memory.rows[here], views, at)
        score = np.float32(weights.after) * (memory.after[here] @ after)
        score += np.float32(weights.coming) * (onset_view(memory.onsets[here], at, 1, views.coming) @ coming)
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
    """All runs from the cut to the landing; the last may reach beyond its recording. The state is at the cut.

    The last run and where the one before it is left are chosen together, so that the last one ends at the landing.
    onsets: what another walk plays from the cut on, and what follows.
    """
    runs: list[Run] = []
    per_second = memory.per_second
    least, short = round(walk.least * per_second), round(walk.most_training * per_second)
    while True:
        begun, left = state.begun, landing.steps - state.played
        departures, longest = state.heard[-1:], 0
        if begun is not None:
            longest = round((walk.most_own if memory.own[begun] else walk.most_training) * per_second)
            departures = departures_of(memory, begun, walk)
            if left <= departures[0] + 1 - begun:
                return [*runs, (begun, begun + left - 1)]
            rest = left - (departures + 1 - begun)
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
    """Scores (departures, entries) of a last run that is entered with `rest` steps to go, (departures,)."""
    entries = memory.entries
    ends = entries + rest[:, None] - 1
    inside = np.minimum(ends, memory.last[entries])
    limits = np.where(memory.own[entries], walk.most_own, walk.most_training) * memory.per_second
    score = np.float32(ARRIVES) * landing.fits[inside] - np.float32(SILENT) * (ends - inside)
    score -= np.float32(TOO_LONG) * (rest[:, None] > np.maximum(limits, rest.min()))
    return score.astype(np.float32)
