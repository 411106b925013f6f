"""Scores all pairs of a departure from the recent music and an entry into the memory at once."""

from __future__ import annotations

import numpy as np

from music_composer.audio.memory.analysis.views import beat, past_views
from music_composer.audio.memory.memory import COLUMNS, Memory
from music_composer.audio.memory.options import MemoryOptions, WalkOptions

RECENT, LONGEST = 12.0, 8.0  # seconds of onsets in which a pulse is sought, and of the longest bar
BEST = 3  # lags from which coming onsets are predicted
EXACT = 1e-4  # scores that differ by less count as equal


def likeness(
    memory: Memory,
    history: np.ndarray,
    at: np.ndarray,
    left: np.ndarray,
    ahead: np.ndarray | None,
    options: MemoryOptions,
    walk: WalkOptions,
) -> np.ndarray:
    """Returns scores, float32 (departures, entries).

    history: places in playing order. at: (departures,), their indices in it. left: (departures,), their places. ahead:
    onsets that another walk plays from each departure on (departures, steps); None predicts them from the pulse.
    """
    views, weights = options.views, walk.weights
    onsets = memory.onsets[history]
    # Nothing follows the last step of a segment.
    after = np.where((left == memory.last[left])[:, None], np.float32(0.0), memory.after[left])
    if ahead is None:
        ahead = np.stack([expected(onsets[: i + 1], views.coming, memory.per_second) for i in at])
    padded = np.concatenate([np.zeros(views.pattern, np.float32), onsets])
    past = np.lib.stride_tricks.sliding_window_view(padded, views.pattern)[at + 1]
    found = past_views(memory.rows[history], views, at) | {"after": after, "pattern": beat(past), "coming": beat(ahead)}
    rhythm = min(1.0, (at[0] + 1) / views.pattern)  # a short history has no pulse yet
    shares = {"pattern": rhythm, "coming": rhythm}
    query = np.concatenate([getattr(weights, name) * shares.get(name, 1.0) * found[name] for name in COLUMNS], axis=1)
    result: np.ndarray = query.astype(np.float32) @ memory.keys
    result += np.float32(weights.mood) * memory.mood - np.float32(weights.unfamiliarity) * memory.unfamiliarity
    return result


def expected(onsets: np.ndarray, count: int, per_second: float) -> np.ndarray:
    """Predicts the onsets of the next `count` steps from the pulse: (count,), zeros without one.

    onsets: (steps,), of the past. The best lags of its autocorrelation are continued.
    """
    recent = onsets[-round(RECENT * per_second) :].astype(np.float64)
    lags = np.arange(count, min(round(LONGEST * per_second), len(recent) // 2))
    if not len(lags):
        return np.zeros(count)
    size = 1 << (2 * len(recent) - 1).bit_length()
    power = np.abs(np.fft.rfft(recent - recent.mean(), size)) ** 2
    # Divided by the overlap, so that long lags are not at a disadvantage.
    alike = np.fft.irfft(power)[lags] * len(recent) / (len(recent) - lags)
    best = np.argsort(-alike, kind="stable")[:BEST]
    past = [recent[len(recent) - lag : len(recent) - lag + count] for lag in lags[best]]
    found: np.ndarray = np.maximum(alike[best], 1e-9) @ np.stack(past)
    return found


def drawn(score: np.ndarray, among: int, temperature: float, rng: np.random.Generator) -> tuple[int, int]:
    """Draws one of the best pairs of scores (rows, columns).

    Scores equal within `EXACT` keep the order of their places.
    """
    # The last digits of products depend on the processor; rounding makes the draw the same on all.
    flat = np.rint(score.ravel() * np.float32(1.0 / EXACT))
    among = min(among, len(flat))
    able = np.flatnonzero(flat >= np.partition(flat, len(flat) - among)[len(flat) - among])
    best = able[np.argsort(-flat[able], kind="stable")][:among]
    chance = np.exp((flat[best] - flat[best[0]]).astype(np.float64) * EXACT / temperature)
    row, column = divmod(int(best[rng.choice(among, p=chance / chance.sum())]), score.shape[1])
    return row, column
