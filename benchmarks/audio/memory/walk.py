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
DEPARTURES = 12  # steps at which a run may be left, at most
SHARED = 6.0  # seconds that the share is taken over
MISS = 1.0  # steps that a run loses where it is not alike for one
WEIGHTS = {"near": 3.0, "far": 2.0, "long": 2.0, "after": 2.0, "pattern": 1.0, "coming": 1.5, "mood": 0.0}


@dataclass(frozen=True)
class WalkOptions:
    """Seconds, unless said otherwise. Scores are weighted sums of cosines."""

    weights: dict[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    least: float = 0.35  # of a run
    most_own: float = 2.5  # that may run along the prompt
    most_training: float = 1.5  # that may run along a training recording
    own: float = 0.6  # score added for the prompt's own steps
    share: float = 0.5  # of the last seconds that should be the prompt's own
    steer: float = 0.0  # score added for each unit by which it is less
    attack: float = 1.0  # score of entering as an onset begins, where one is left
    used: float = 0.6  # score taken away for each time that a place was played, within 0.3 s of it
    stay: float = 0.0  # score added for each second that a run lasts
    elsewhere: float = 1.0  # a jump leads at least so far from where it goes on
    guard: bool = True
    returns: float = 15.0  # for so long no run is taken up again where it would be by now
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
        self.mood = _unit(memory.encoded[prompt[-round(10 * PER_SECOND) :]].mean(axis=0, keepdims=True))[0]
        self.used = np.zeros(len(memory.part), np.float32)
        self.enters = _attacks(memory)
        every = np.arange(len(memory.part))
        inside = every - memory.firsts[memory.part] > 0
        room = memory.last - every >= 2 * round(options.least * PER_SECOND)
        # Where an onset begins, and here and there between.
        self.places = np.flatnonzero(inside & room & ((self.enters > 0.1) | (every % 8 == 0)))
        self.seen = {name: view[self.places - 1] for name, view in memory.views.items()}  # what precedes the entry
        self.limits = np.where(memory.own, options.most_own, options.most_training) * PER_SECOND
        self.aligned = np.zeros(len(memory.part), np.float32)
        self.runs: list[tuple[int, int]] = []
        self.begun: int | None = None
        self.other: np.ndarray | None = None  # onset strength that another layer plays from the cut on

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
        able = np.arange(first, max(first, min(self.begun + round(most * PER_SECOND) - 1, end)) + 1)
        onsets = self.enters[np.minimum(able + 1, end)]
        best = np.argsort(-onsets)[: DEPARTURES * 2 // 3]
        even = np.linspace(0, len(able) - 1, DEPARTURES // 3).round().astype(int)
        return able[np.unique(np.concatenate([best, even]))]

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
        """Takes from the scores (departures, places) what speaks against a pair, in place."""
        memory, options = self.memory, self.options
        recent = memory.own[self.history[self.prompted :][-round(SHARED * PER_SECOND) :]]
        prior = SHARED / 3 * PER_SECOND  # as if as much had been played with just that share
        share = (recent.sum() + options.share * prior) / (len(recent) + prior)
        bonus = options.own + options.steer * (options.share - share)
        score += (bonus * memory.own - options.used * self.used)[self.places]
        left = self.enters[np.minimum(departures + 1, memory.last[departures])]
        enters = self.enters[self.places]
        score -= options.attack * (np.abs(left[:, None] - enters) + 0.5 * (1.0 - np.minimum(enters, 1.0)))
        if self.begun is not None:
            score += options.stay * ((departures - self.begun) / PER_SECOND)[:, None]
        least, far = round(options.least * PER_SECOND), round(options.elsewhere * PER_SECOND)
        if options.guard:
            score -= 3.0 * np.maximum(0.0, aligned[:, self.places - 1] + least - self.limits[self.places]) / least
            score -= 5.0 * over[:, None]
            score -= 5.0 * self._returns(departures)
        for row, place in enumerate(departures):
            same = memory.part[self.places] == memory.part[place]
            score[row, same & (np.abs(self.places - place - 1) < far)] = -np.inf

    def _returns(self, departures: np.ndarray) -> np.ndarray:
        """Whether a pair goes back to where an earlier run would be by now, had it gone on: (departures, places)."""
        total, near = sum(last - first + 1 for first, last in self.runs), round(0.5 * PER_SECOND)
        begun = departures[0] + 1 if self.begun is None else self.begun
        result = np.zeros((len(departures), len(self.places)), np.float32)
        now = total + departures - begun + 1
        for first, last in reversed(self.runs):
            total -= last - first + 1
            if now[0] - total > self.options.returns * PER_SECOND:
                break
            expected = first + now - total
            low, high = (np.searchsorted(self.places, expected + side) for side in (-near, near))
            for row in range(len(departures)):
                result[row, low[row] : high[row]] = 1.0
        return result

    def _draw(self, score: np.ndarray) -> tuple[int, int]:
        flat = score.ravel()
        best = np.argpartition(-flat, self.options.among)[: self.options.among]
        chance = np.exp((flat[best] - flat[best].max()) / self.options.temperature)
        pick = int(best[self.rng.choice(len(best), p=chance / chance.sum())])
        return pick // score.shape[1], int(self.places[pick % score.shape[1]])

    def _score(self, heard: np.ndarray, at: np.ndarray, departures: np.ndarray) -> np.ndarray:
        """(departures, places): what is alike about leaving there and entering here."""
        memory, options, weights = self.memory, self.options, self.options.weights
        span = np.arange(max(0, at[0] - 4 * LONG), len(heard))
        views = views_of(memory.encoded[heard[span]])
        rows = at - span[0]
        total = np.zeros((len(departures), len(self.places)), np.float32)
        for name in ("near", "far", "long"):
            if weights[name]:
                total += weights[name] * (_unit(views[name][rows]) @ self.seen[name].T)
        if weights["after"]:
            view = memory.views["after"][departures].copy()
            view[departures == memory.last[departures]] = 0.0
            total += weights["after"] * (view @ self.seen["after"].T)
        onset = memory.steps.onset[heard]
        if weights["pattern"]:
            past = np.stack([_pattern(onset[max(0, i + 1 - PATTERN) : i + 1], PATTERN) for i in at])
            total += weights["pattern"] * (past @ self.seen["pattern"].T)
        if weights["coming"]:
            expected = np.stack([self._expected(onset[: i + 1]) for i in at])
            total += weights["coming"] * (expected @ self.seen["coming"].T)
        if weights["mood"]:
            total += weights["mood"] * (self.seen["mood"] @ self.mood)
        if self.listener is not None and options.network:
            total += options.network * self.listener(heard, at)[:, self.places]
        return total

    def _expected(self, onset: np.ndarray) -> np.ndarray:
        """What should be struck next: what the other layer strikes, or else what the pulse so far lets expect."""
        played = len(onset) - self.prompted
        if self.other is not None and len(self.other) > played:
            return _pattern(np.pad(self.other, (0, COMING))[played : played + COMING], COMING)
        return expected_onsets(onset)

    def _align(self, coming: np.ndarray, departures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How long what is played up to each departure has run along each place, and by how much that is too long."""
        memory = self.memory
        result, running = np.empty((len(departures), len(memory.part)), np.float32), self.aligned
        if not self.options.guard or not len(coming):
            return np.tile(running, (len(departures), 1)), np.zeros(len(departures), np.float32)
        over, rows = np.zeros(len(departures), np.float32), {int(place): i for i, place in enumerate(departures)}
        alike = memory.bright[coming[::2]] @ memory.bright.T > self.options.alike  # every other step tells enough
        for place, row in zip(coming[::2], alike, strict=True):
            here = _gone_on(running, row, memory.firsts)
            running = _gone_on(here, np.concatenate([[False], row[:-1]]), memory.firsts)  # the next step, unlooked at
            for reached, course in ((place, here), (place + 1, running)):
                if (i := rows.get(int(reached))) is not None:
                    result[i] = course
                    over[i] = max(0.0, float((course / self.limits).max()) - 1.0)
        return result, over - over.min()

    def _mark(self, places: np.ndarray) -> None:
        width = round(0.3 * PER_SECOND)
        marks = np.zeros(len(self.used) + 2 * width, np.float32)
        marks[places + width] = 1.0
        shape = np.maximum(0, 1 - np.abs(np.arange(-width, width + 1)) / (width + 1)).astype(np.float32)
        low, high = places.min(), places.max() + 2 * width + 1
        marks[low:high] = np.minimum(np.convolve(marks[low:high], shape, "same"), 1.0)
        self.used += marks[width:-width]


def _gone_on(runs: np.ndarray, alike: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Runs along each place of the memory, a step later; none goes on from one recording to the next."""
    later = np.concatenate([np.zeros(1, np.float32), runs[:-1]])
    later[firsts] = 0.0
    return np.where(alike, later + 1.0, np.maximum(later - MISS, 0.0)).astype(np.float32)


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


def going_on(onset: np.ndarray, count: int) -> np.ndarray:
    """The onsets (count,) to come, if music whose onsets were (steps,) keeps its bars: their mean, again and again."""
    recent = onset[-round(32 * PER_SECOND) :].astype(np.float64)
    centred = recent - recent.mean()
    size = 1 << (2 * len(recent) - 1).bit_length()
    likeness = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2)[: len(recent)]
    likeness /= np.maximum(len(recent) - np.arange(len(recent)), 1)
    lags = np.arange(round(2 * PER_SECOND), min(round(8 * PER_SECOND), len(recent) // 2) + 1)
    bar = float(lags[likeness[lags].argmax()])
    bars = max(1, min(4, int(0.7 * len(recent) / bar)))  # that fit into what was heard with room to spare
    near = np.arange(round(bars * bar) - bars, round(bars * bar) + bars + 1)
    peak = int(near[likeness[near].argmax()])
    low, top, high = likeness[peak - 1 : peak + 2]
    bar = (peak + 0.5 * (low - high) / min(low - 2 * top + high, -1e-9)) / bars  # between steps, by a parabola
    steps, times = np.arange(len(recent)), np.arange(count) % bar
    past = [np.interp(len(recent) - (k + 1) * bar + times, steps, recent) for k in range(bars)]
    return np.mean(past, axis=0).astype(np.float32)


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
