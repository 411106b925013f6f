"""A walk through memory: real steps in runs, left and entered where what was, what is and what comes are most alike.

Every run may be left at any of many steps and entered anywhere; all pairs are scored at once and one is drawn among
the best. The guard bounds how long what is played may run along any place of the memory, by content and not by place,
so that a repeat in the music is no way around it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from memory.steps import PER_SECOND
from memory.store import COMING, LONG, PATTERN, Memory, views_of

# Given played steps (global places, oldest first) and places to depart from: scores (departures, memory), or none.
Listener = Callable[[np.ndarray, np.ndarray], np.ndarray]
MISS = 3.0  # steps that a run loses where it is not alike for one
WEIGHTS = {"near": 3.0, "far": 2.0, "long": 2.0, "after": 2.0, "pattern": 1.0, "coming": 1.5}


@dataclass(frozen=True)
class WalkOptions:
    """Seconds, unless said otherwise. Scores are weighted sums of cosines."""

    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    least: float = 0.35  # of a run
    most_own: float = 2.5  # that may run along the prompt
    most_training: float = 1.5  # that may run along a training recording
    own: float = 0.6  # score added for the prompt's own steps
    share: float = 1.0  # of the last eight seconds that may be the prompt's own before those lose by `steer`
    steer: float = 4.0
    attack: float = 1.0  # score of entering as an onset begins, where one is left
    used: float = 0.6  # score taken away for each time that a place was played, within 0.3 s of it
    elsewhere: float = 1.0  # a jump leads at least so far from where it goes on
    guard: bool = True
    alike: float = 0.96  # cosine of level shapes from which two steps are one
    temperature: float = 0.1
    among: int = 16  # best pairs that are drawn from
    network: float = 0.0  # weight of the listener's scores


@dataclass
class Played:
    """Runs of places in the memory, each (first, last), both included."""

    runs: list[tuple[int, int]]

    @property
    def places(self) -> np.ndarray:
        return np.concatenate([np.arange(first, last + 1) for first, last in self.runs])


class Walk:
    def __init__(
        self, memory: Memory, options: WalkOptions, rng: np.random.Generator, listener: Listener | None = None
    ):
        self.memory, self.options, self.rng, self.listener = memory, options, rng, listener
        prompt = np.flatnonzero(memory.own)
        self.history = list(prompt[-round(16 * PER_SECOND) :])  # places, as they were heard
        self.prompted = len(self.history)
        self.used = np.zeros(len(memory.part), np.float32)
        self.enters = _attacks(memory)
        self.limits = np.where(memory.own, options.most_own, options.most_training) * PER_SECOND
        self.aligned = np.zeros(len(memory.part), np.float32)
        self.runs: list[tuple[int, int]] = []
        self.begun: int | None = None

    def play(self, seconds: float) -> Played:
        steps, total = round(seconds * PER_SECOND), 0
        while total < steps:
            departures = self._departures()
            leave, enter = self._choose(departures)
            if self.begun is not None:
                self.runs.append((self.begun, leave))
                total += leave - self.begun + 1
            self.begun = enter
        return Played(self.runs)

    def _departures(self) -> np.ndarray:
        """Steps at which the run may be left; all up to the first of them are certain to be played."""
        if self.begun is None:  # only the prompt's end
            return np.array([self.history[-1]])
        options, end = self.options, self.memory.last[self.begun]
        most = options.most_own if self.memory.own[self.begun] else options.most_training
        first = min(self.begun + round(options.least * PER_SECOND) - 1, end)
        return np.arange(first, max(first, min(self.begun + round(most * PER_SECOND) - 1, end)) + 1)

    def _choose(self, departures: np.ndarray) -> tuple[int, int]:
        """The place to leave and the one to enter; what is played up to there is heard, and is in the history."""
        begun = departures[0] + 1 if self.begun is None else self.begun
        coming = np.arange(begun, departures[-1] + 1)
        heard = np.concatenate([np.array(self.history, int), coming])
        at = len(self.history) + departures - begun
        aligned, over = self._align(coming, departures)
        score = self._score(heard, at, departures)
        self._judge(score, departures, aligned, over)
        leave, enter = self._draw(score)
        taken = np.arange(begun, departures[leave] + 1)
        self.history += list(taken)
        if len(taken):
            self._mark(taken)
            self.aligned = aligned[leave]
        return int(departures[leave]), enter

    def _judge(self, score: np.ndarray, departures: np.ndarray, aligned: np.ndarray, over: np.ndarray) -> None:
        """Takes from the scores (departures, memory) what speaks against a pair, in place."""
        memory, options = self.memory, self.options
        recent = memory.own[self.history[self.prompted :][-round(8 * PER_SECOND) :]]
        excess = max(0.0, float(recent.mean()) - options.share) if len(recent) else 0.0
        score += (options.own - options.steer * excess) * memory.own - options.used * self.used
        left = self.enters[np.minimum(departures + 1, memory.last[departures])]
        score -= options.attack * (np.abs(left[:, None] - self.enters) + 0.5 * (1.0 - np.minimum(self.enters, 1.0)))
        least, far = round(options.least * PER_SECOND), round(options.elsewhere * PER_SECOND)
        if options.guard:
            score[:, 1:] -= 3.0 * np.maximum(0.0, aligned[:, :-1] + least - self.limits[1:]) / least
            score -= 5.0 * over[:, None]
        score[:, memory.last - np.arange(len(memory.part)) < 2 * least] = -np.inf
        for row, place in enumerate(departures):
            low = max(memory.firsts[memory.part[place]], place + 1 - far)
            score[row, low : min(memory.last[place], place + 1 + far) + 1] = -np.inf

    def _draw(self, score: np.ndarray) -> tuple[int, int]:
        flat = score.ravel()
        best = np.argpartition(-flat, self.options.among)[: self.options.among]
        chance = np.exp((flat[best] - flat[best].max()) / self.options.temperature)
        pick = int(best[self.rng.choice(len(best), p=chance / chance.sum())])
        return pick // score.shape[1], pick % score.shape[1]

    def _score(self, heard: np.ndarray, at: np.ndarray, departures: np.ndarray) -> np.ndarray:
        """(departures, memory): what is alike about leaving there and entering here."""
        memory, weights = self.memory, self.options.weights
        span = np.arange(max(0, at[0] - 4 * LONG), len(heard))
        views = views_of(memory.encoded[heard[span]])
        rows = at - span[0]
        total = np.zeros((len(departures), len(memory.part)), np.float32)
        for name in ("near", "far", "long"):
            if weights[name]:
                view = _unit(views[name][rows])
                total[:, 1:] += weights[name] * (view @ memory.views[name][:-1].T)  # the past of what is entered
        if weights["after"]:
            view = memory.views["after"][departures].copy()
            view[departures == memory.last[departures]] = 0.0
            total[:, 1:] += weights["after"] * (view @ memory.views["after"][:-1].T)
        onset = memory.steps.onset[heard]
        if weights["pattern"]:
            past = np.stack([_pattern(onset[max(0, i + 1 - PATTERN) : i + 1], PATTERN) for i in at])
            total[:, 1:] += weights["pattern"] * (past @ memory.views["pattern"][:-1].T)
        if weights["coming"]:
            expected = np.stack([expected_onsets(onset[: i + 1]) for i in at])
            total[:, 1:] += weights["coming"] * (expected @ memory.views["coming"][:-1].T)
        if self.listener is not None and self.options.network:
            total += self.options.network * self.listener(heard, at)
        return total

    def _align(self, coming: np.ndarray, departures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How long what is played up to each departure has run along each place, and by how much that is too long."""
        memory = self.memory
        result, running = np.empty((len(departures), len(memory.part)), np.float32), self.aligned
        if not self.options.guard or not len(coming):
            return np.tile(running, (len(departures), 1)), np.zeros(len(departures), np.float32)
        alike = memory.bright[coming] @ memory.bright.T > self.options.alike
        over, keep = np.zeros(len(departures), np.float32), len(coming) - len(departures)
        for i, row in enumerate(alike):
            moved = np.concatenate([np.zeros(1, np.float32), running[:-1]])
            running = np.where(row, moved + 1.0, np.maximum(moved - MISS, 0.0)).astype(np.float32)
            running[memory.firsts] = np.minimum(running[memory.firsts], 1.0)
            if i >= keep:
                result[i - keep] = running
                over[i - keep] = max(0.0, float((running / self.limits).max()) - 1.0)
        return result, over - over.min()

    def _mark(self, places: np.ndarray) -> None:
        width = round(0.3 * PER_SECOND)
        marks = np.zeros(len(self.used) + 2 * width, np.float32)
        marks[places + width] = 1.0
        shape = np.maximum(0, 1 - np.abs(np.arange(-width, width + 1)) / (width + 1)).astype(np.float32)
        low, high = places.min(), places.max() + 2 * width + 1
        marks[low:high] = np.minimum(np.convolve(marks[low:high], shape, "same"), 1.0)
        self.used += marks[width:-width]


def expected_onsets(onset: np.ndarray) -> np.ndarray:
    """The onsets of the next COMING steps, if the pattern of the last ten seconds goes on: (COMING,), unit."""
    recent = onset[-round(12 * PER_SECOND) :].astype(np.float64)
    lags = np.arange(COMING, min(round(8 * PER_SECOND), len(recent) // 2))
    if not len(lags):
        return np.zeros(COMING, np.float32)
    centred = recent - recent.mean()
    size = 1 << (2 * len(recent) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    likeness = np.fft.irfft(power)[lags] * len(recent) / (len(recent) - lags)
    best = lags[np.argsort(-likeness)[:3]]
    strength = np.maximum(likeness[best - lags[0]], 1e-9)
    coming = sum(
        w * recent[len(recent) - lag : len(recent) - lag + COMING] for w, lag in zip(strength, best, strict=True)
    )
    return _pattern(coming, COMING)


def _pattern(onset: np.ndarray, width: int) -> np.ndarray:
    onset = np.concatenate([np.zeros(width - len(onset)), onset])
    onset = onset - onset.mean()
    return (onset / (np.linalg.norm(onset) + 1e-3)).astype(np.float32)


def _attacks(memory: Memory) -> np.ndarray:
    """For each step how strong the onset is that begins right after it is entered, 0 without one."""
    onset = memory.steps.onset
    highest = np.max(np.lib.stride_tricks.sliding_window_view(np.pad(onset, 2), 5), axis=1)
    peak = np.where(onset == highest, onset, 0.0)
    return np.concatenate([peak[1:], [0.0]]).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)
