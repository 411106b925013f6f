"""The memory: every step of the training music, at several speeds, and of the prompt, with the views to seek it by."""

from dataclasses import dataclass, field

import numpy as np

from memory.steps import PER_SECOND, Steps, joined

NEAR, FAR, LONG = 4, round(PER_SECOND), round(3 * PER_SECOND)  # steps of the past that a view is of
AHEAD = 14  # of what follows
MOOD = round(5 * PER_SECOND)  # of what is around, to either side
PATTERN, COMING = round(4 * PER_SECOND), round(1.4 * PER_SECOND)  # of onsets, past and to come
SIZES = {"short": 20, "long": 12}  # principal components of the levels


@dataclass
class Encoder:
    """Levels to principal components, fitted to the training music."""

    mean: np.ndarray
    basis: np.ndarray
    harmony: float = 1.0  # weight of the pitch classes

    def __call__(self, steps: Steps) -> np.ndarray:
        levels = (steps.mel - self.mean) @ self.basis
        return np.concatenate([levels, 6.0 * self.harmony * (np.sqrt(steps.chroma) - 0.25)], axis=1).astype(np.float32)


def encoder_of(training: Steps, components: int = 20) -> Encoder:
    mean = training.mel.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((training.mel[::4] - mean).T))
    # Scaled by the root of their deviation: the first ones matter most, without being all.
    scale = (values[::-1][:components] / values[-1]) ** 0.25 / np.sqrt(values[::-1][:components])
    return Encoder(mean, vectors[:, ::-1][:, :components] * scale)


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Over each step and the width - 1 before it; fewer at the beginning."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(0, last - width)
    return ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32)


def views_of(encoded: np.ndarray) -> dict[str, np.ndarray]:
    """What each step's past sounds like at several lengths: (steps, ...) each. Of one recording."""
    half = running_mean(encoded, NEAR)
    earlier = np.concatenate([np.repeat(half[:1], NEAR, axis=0), half[:-NEAR]])[: len(half)]
    far, long = (running_mean(encoded, width) for width in (FAR, LONG))
    moves = [np.sqrt(np.maximum(running_mean(encoded**2, w) - m**2, 0)) for w, m in ((FAR, far), (LONG, long))]
    following = running_mean(encoded[::-1], AHEAD)[::-1]
    around = running_mean(encoded, MOOD) + running_mean(encoded[::-1], MOOD)[::-1]
    after = np.concatenate([following[1:], following[-1:]])
    return {
        "near": np.concatenate([half, 0.5 * earlier], axis=1),
        "far": np.concatenate([far, moves[0]], axis=1),
        "long": np.concatenate([long, moves[1]], axis=1),
        "after": after,
        "mood": around,
    }


def patterns(onset: np.ndarray, first: int, width: int) -> np.ndarray:
    """Unit onset patterns of `width` steps from `first` steps after each one on: (steps, width); zeros outside."""
    padded = np.pad(onset, (max(0, -first), width + max(0, first)))
    start = max(0, first) if first >= 0 else 0
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[start : start + len(onset)]
    windows = windows - windows.mean(axis=1, keepdims=True)
    return (windows / (np.linalg.norm(windows, axis=1, keepdims=True) + 1e-3)).astype(np.float32)


@dataclass
class Memory:
    """All recordings end to end. The last one is the prompt, of which nothing behind the cut is here."""

    parts: list[Steps]
    sources: list[tuple[int, int]]  # (track, semitones) of each part; (-1, 0) is the prompt
    encoder: Encoder
    views: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = joined(self.parts)
        self.lengths = np.array([len(part) for part in self.parts])
        self.firsts = np.cumsum([0, *self.lengths[:-1]])
        self.part = np.repeat(np.arange(len(self.parts)), self.lengths)
        self.last = (self.firsts + self.lengths)[self.part] - 1  # the last step of each one's recording
        self.encoded = np.concatenate([self.encoder(part) for part in self.parts])
        each = [views_of(self.encoded[a : a + n]) for a, n in zip(self.firsts, self.lengths, strict=True)]
        self.views = {name: self._unit(np.concatenate([views[name] for views in each])) for name in each[0]}
        self.views["pattern"] = np.concatenate([patterns(part.onset, 1 - PATTERN, PATTERN) for part in self.parts])
        self.views["coming"] = np.concatenate([patterns(part.onset, 1, COMING) for part in self.parts])
        self.own = self.part == len(self.parts) - 1
        pairs = self.steps.mel.reshape(len(self.part), -1, 2).mean(axis=2)
        shape = pairs - pairs.mean(axis=1, keepdims=True)
        self.bright = _unit_rows(running_mean(shape, 3))

    def _unit(self, view: np.ndarray) -> np.ndarray:
        return _unit_rows(view).astype(np.float32)


def _unit_rows(rows: np.ndarray) -> np.ndarray:
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)
