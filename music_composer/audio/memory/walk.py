"""A walk through a memory: runs of real steps, left and entered where past, present and future are most alike.

A run may be left at some of its steps, the departures. Each is paired with every entry. All pairs are scored at once,
and one of the best is drawn.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.phrases import PlayedPhrases, play_phrases, start_phrases, times_played
from music_composer.audio.memory.guard import followed, returning
from music_composer.audio.memory.memory import Memory
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.score import drawn, likeness

TOO_LONG, TOO_SOON, TOO_NEAR = 5.0, 5.0, 100.0  # scores lost by forbidden departures and entries
ALONG = 3.0  # score lost by an entry whose run exceeds its limit, for each shortest run
BEYOND = 50.0  # the same for an excess of more than half a shortest run, or a quarter of the limit


@dataclasses.dataclass
class WalkState:
    """The state of a walk: with the memory, the options and the generator, it determines the next run.

    history: recent places, oldest first. aligned: int16 (places,), the steps that the music has run along each place.
    used: float32 (places,), uses of each place, halved over time. runs: (first place, last place, step at which it
    began) of the last seconds. begun: first place of the current run; None before the first. played: steps of all runs
    before it. phrases: played lately; None before the first run, and where repeated phrases are allowed.
    """

    history: np.ndarray
    aligned: np.ndarray
    used: np.ndarray
    runs: list[tuple[int, int, int]]
    begun: int | None = None
    played: int = 0
    phrases: PlayedPhrases | None = None


def start(memory: Memory) -> WalkState:
    """Returns the state at the cut."""
    return WalkState(memory.history, np.zeros(len(memory), np.int16), np.zeros(len(memory), np.float32), [])


def next_run(
    memory: Memory,
    state: WalkState,
    options: MemoryOptions,
    walk: WalkOptions,
    rng: np.random.Generator,
    ahead: np.ndarray | None = None,
) -> tuple[int, int]:
    """Returns the first and the last place of the next run, and advances the state.

    ahead: onsets that another walk plays from the beginning of this run on, as long as any run and its future view.
    """
    if state.begun is None:
        state.begun = jump(memory, state, state.history[-1:], ahead, options, walk, rng)[1]
    first, departures = state.begun, departures_of(memory, state.begun, walk)
    last, state.begun = jump(memory, state, departures, ahead, options, walk, rng)
    return first, last


def longest_run(memory: Memory, walk: WalkOptions) -> int:
    """Returns the largest number of steps of a run."""
    return round(max(walk.most_own, walk.most_training, walk.least) * memory.per_second)


def use(memory: Memory, used: np.ndarray, first: int, last: int, walk: WalkOptions) -> None:
    """Adds a run to the uses of places, in place. Neighbouring places count less with distance."""
    width = round(walk.beside * memory.per_second)
    triangle = np.maximum(0.0, 1.0 - np.abs(np.arange(-width, width + 1)) / (width + 1))
    marks = np.minimum(np.convolve(np.ones(last + 1 - first), triangle), 1.0).astype(np.float32)
    low, high = max(0, first - width), min(len(used), last + 1 + width)
    used[low:high] += marks[low - (first - width) : high - (first - width)]


def departures_of(memory: Memory, begun: int, walk: WalkOptions) -> np.ndarray:
    """Returns the places where a run may be left, rising: before its strongest onsets, and at equal distances."""
    end, per_second = int(memory.last[begun]), memory.per_second
    most = walk.most_own if memory.own[begun] else walk.most_training
    first = min(begun + round(walk.least * per_second) - 1, end)
    able = np.arange(first, max(first, min(begun + round(most * per_second) - 1, end)) + 1)
    best = np.argsort(-memory.attacks[np.minimum(able + 1, end)], kind="stable")[: walk.departures * 2 // 3]
    # Places at equal distances serve music without onsets.
    even = np.linspace(0, len(able) - 1, walk.departures // 3).round().astype(int)
    return able[np.unique(np.concatenate([best, even]))]


def jump(
    memory: Memory,
    state: WalkState,
    departures: np.ndarray,
    ahead: np.ndarray | None,
    options: MemoryOptions,
    walk: WalkOptions,
    rng: np.random.Generator,
    extra: np.ndarray | None = None,
) -> tuple[int, int]:
    """Chooses a departure and an entry, returns both places, and adds the run to the state.

    departures: rising places. ahead: see `next_run`. extra: scores (departures, entries) to add.
    """
    begun = int(departures[0]) + 1 if state.begun is None else state.begun
    coming = np.arange(begun, departures[-1] + 1)
    history = np.concatenate([state.history, coming])
    expects = None
    if ahead is not None:
        count = options.views.coming
        padded = np.pad(ahead, (0, int(departures[-1]) + 1 - begun + count))
        expects = np.lib.stride_tricks.sliding_window_view(padded, count)[departures + 1 - begun]
    score = likeness(memory, history, len(state.history) + departures - begun, departures, expects, options, walk)
    _prefer(score, memory, state, departures, begun, walk)
    aligned = np.repeat(state.aligned[None], len(departures), axis=0)
    if walk.guard and len(coming):
        steps = departures - begun
        aligned = followed(
            state.aligned, memory.shapes[coming], memory.shapes, memory.firsts[:-1], steps, options.guard
        )
    if walk.guard:
        _guard(score, memory, state, departures, begun, aligned, walk)
    if state.phrases is not None:
        score -= np.float32(walk.repeated) * times_played(state.phrases, memory.per_second, walk.phrases)
    if extra is not None:
        score += extra
    row, column = drawn(score, walk.among, walk.temperature, rng)
    leave = int(departures[row])
    if len(coming):
        _take(memory, state, begun, leave, aligned[row].copy(), walk)
    return leave, int(memory.entries[column])


def _prefer(
    score: np.ndarray, memory: Memory, state: WalkState, departures: np.ndarray, begun: int, walk: WalkOptions
) -> None:
    """Adds preferences to the scores (departures, entries), in place: share, onsets, length and use."""
    entries, per_second = memory.entries, memory.per_second
    recent_places = state.history[len(state.history) - min(state.played, round(walk.share_over * per_second)) :]
    recent = memory.own[recent_places]
    prior = walk.share_over / 3.0 * per_second  # as if that much had been played at exactly the wanted share
    share = (recent.sum() + walk.share * prior) / (len(recent) + prior)
    bonus = np.float32(walk.own + walk.steer * (walk.share - share))
    if memory.blend is not None:
        score += _balance(memory, recent_places, walk)
    enters = memory.attacks[entries]
    score += bonus * memory.own[entries] - np.float32(walk.used) * state.used[entries]
    score -= np.float32(0.5 * walk.attack) * (1.0 - np.minimum(enters, 1.0))
    left = memory.attacks[np.minimum(departures + 1, memory.last[departures])]
    score -= np.float32(walk.attack) * np.abs(left[:, None] - enters)
    score += (walk.stay / per_second * (departures + 1 - begun)).astype(np.float32)[:, None]
    # A jump to where the run would go on is none, and would only sound like a stumble.
    far = round(walk.elsewhere * per_second)
    for row, place in enumerate(departures):
        low, high = np.searchsorted(entries, [place + 2 - far, place + 1 + far])
        near = memory.part[entries[low:high]] == memory.part[place]
        score[row, low:high] -= np.float32(TOO_NEAR) * near


def _balance(memory: Memory, recent: np.ndarray, walk: WalkOptions) -> np.ndarray:
    """Returns scores (entries,) that keep the shares of a blend. recent: places that were played lately."""
    assert memory.blend is not None
    prior = walk.share_over / 3.0 * memory.per_second
    own = memory.own[recent].sum()
    share = (memory.beside[recent].sum() + memory.blend * prior) / (own + prior)
    sides = np.where(memory.beside, np.float32(0.5), np.float32(-0.5) * memory.own)[memory.entries]
    return np.float32(walk.blend * (memory.blend - share)) * sides


def _guard(
    score: np.ndarray,
    memory: Memory,
    state: WalkState,
    departures: np.ndarray,
    begun: int,
    aligned: np.ndarray,
    walk: WalkOptions,
) -> None:
    """Lowers the scores of long runs along the memory and of resumed runs, in place."""
    entries, per_second = memory.entries, memory.per_second
    allowed = walk.as_shared * walk.shared * per_second
    training = max(walk.most_training * per_second, allowed)
    own = max(walk.most_own * per_second, 0.5 * allowed)  # the prompt's own phrases return sooner than those of others
    least, begin = round(walk.least * per_second), len(memory) - np.count_nonzero(memory.own)
    too_much = aligned[:, np.maximum(entries - 1, 0)].astype(np.float32)
    too_much += np.float32(least) - np.where(memory.own[entries], np.float32(own), np.float32(training))
    too_much *= np.float32(1.0 / least)
    score -= np.float32(ALONG) * np.maximum(too_much, 0.0)
    score -= np.float32(BEYOND) * np.maximum(too_much - np.float32(0.5), 0.0)
    longest = aligned[:, :begin].max(axis=1, initial=0) / training, aligned[:, begin:].max(axis=1, initial=0) / own
    over = np.maximum(np.maximum(*longest) - 1.0, 0.0)
    # Relative to the best departure: one of them must be taken.
    score -= (TOO_LONG * (over - over.min()) + BEYOND * np.maximum(over - 0.25, 0.0))[:, None].astype(np.float32)
    now = state.played + departures + 1 - begun
    near = round(walk.returns_near * per_second)
    score -= np.float32(TOO_SOON) * returning(state.runs, now, entries, walk.returns * per_second, near, allowed)


def _take(memory: Memory, state: WalkState, first: int, last: int, aligned: np.ndarray, walk: WalkOptions) -> None:
    """Adds a played run to the state."""
    per_second, minute = memory.per_second, walk.forgotten * memory.per_second
    before, state.played = state.played, state.played + last + 1 - first
    state.history = np.concatenate([state.history, np.arange(first, last + 1)])[-round(walk.history * per_second) :]
    state.aligned = aligned
    use(memory, state.used, first, last, walk)
    if walk.guard and walk.repeated:
        state.phrases = state.phrases or start_phrases(memory.rows, memory.firsts, memory.entries, walk.phrases)
        play_phrases(state.phrases, memory.rows[first : last + 1], per_second, walk.phrases)
    if state.played // minute != before // minute:
        state.used *= np.float32(0.5)
    recent = state.played - walk.returns * per_second - longest_run(memory, walk)
    state.runs = [run for run in [*state.runs, (first, last, before)] if run[2] >= recent]
