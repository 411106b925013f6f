"""Runs of real sound laid end to end: each where it fits what was last heard best, faded across at constant power."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class SpliceOptions:
    """Samples. A run must be longer than twice the fade."""

    fade: int = 1323  # 30 ms: over which one run gives way to the next
    search: int = 353  # 8 ms: by which a run is moved to fit, to either side of where it is due

    def __post_init__(self) -> None:
        if self.fade < 2 or self.search < 0:
            raise OptionError(f"{self}: fade must be at least 2 samples, and search not below 0.")

    @property
    def before(self) -> int:
        """Samples that a run needs of what precedes it in its recording, to be moved at all."""
        return self.fade + 2 * self.search


class Splicer:
    """Gives out the sound of runs as they come; the last of it is kept back for the fade into the next run."""

    def __init__(self, lead: np.ndarray, options: SpliceOptions) -> None:
        """lead: (samples, channels) before the cut, of which the last `options.fade` are given out with the first run.

        Raises OptionError when there are not as many.
        """
        if len(lead) < options.fade:
            raise OptionError(f"{len(lead)} samples before the cut are too few for a fade over {options.fade}.")
        self.options = options
        self.kept = lead[-options.fade :]
        self.late = 0  # samples by which what comes next is late, since runs were moved

    def push(self, sound: np.ndarray, before: int) -> np.ndarray:
        """sound: (samples, channels) of a recording, `before` samples of what precedes the run, then the run.

        Returns what is certain by now (samples, channels). However many runs are moved, none is played further from
        its time than `options.search`, where there is as much before it as `options.before`.
        """
        fade, missing = self.options.fade, max(0, self.options.fade - before)
        if before >= self.options.before:
            due = before + self.late
            shift = self._best_shift(sound[due - fade - self.options.search : due + self.options.search])
            before, self.late = due + shift, -shift
        piece = np.pad(sound, ((missing, 0), (0, 0)))[before + missing - fade :]  # a recording begins out of silence
        joined = np.concatenate([faded(self.kept, piece[:fade]), piece[fade:]])
        self.kept = joined[len(joined) - fade :]
        return joined[: len(joined) - fade]

    def land(self, sound: np.ndarray, before: int, due: int, right: np.ndarray) -> np.ndarray:
        """The last run, and behind it `right`, samples (n, channels), which begins `due` samples from now.

        The run is moved so that it fits what was heard and what follows. It must reach beyond that by the search and a
        fade.
        """
        fade, search, missing = self.options.fade, self.options.search, max(0, self.options.fade - before)
        if before >= self.options.before:
            begin = before + self.late - fade
            fits = sum(
                _fit(heard, sound[at - search : at + fade + search]) / (np.linalg.norm(heard.mean(axis=1)) + 1e-6)
                for heard, at in ((self.kept, begin), (right[:fade], begin + due))
            )
            begin += int(np.argmax(fits)) - search
        else:
            sound, begin = np.pad(sound, ((missing, 0), (0, 0))), before + missing - fade
        piece = sound[begin : begin + due + fade]
        ends = faded(self.kept, piece[:fade]), faded(piece[due:], right[:fade])
        return np.concatenate([ends[0], piece[fade:due], ends[1], right[fade:]])

    def rest(self) -> np.ndarray:
        """The end of the last run."""
        return self.kept

    def _best_shift(self, around: np.ndarray) -> int:
        """Where what was last heard is most like the sound around the place that is due."""
        return int(np.argmax(_fit(self.kept, around))) - self.options.search


def _fit(heard: np.ndarray, around: np.ndarray) -> np.ndarray:
    """How like what was heard each place of what is longer is."""
    one, there = heard.mean(axis=1), around.mean(axis=1)
    energy = np.convolve(there**2, np.ones(len(one), np.float32), "valid")
    likeness: np.ndarray = np.correlate(there, one, "valid") / np.sqrt(energy + 1e-6)
    return likeness


def faded(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """From one to the other, both (samples, channels), at constant power, however alike they are."""
    turn = np.linspace(0.0, np.pi / 2, len(one), dtype=np.float32)[:, None]
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    likeness = max(0.0, float((one * other).sum()) / norm) if norm > 0.0 else 0.0
    mixed: np.ndarray = (one * np.cos(turn) + other * np.sin(turn)) / np.sqrt(1.0 + likeness * np.sin(2.0 * turn))
    return mixed
