"""Joins runs of real sound: each is shifted to fit the sound before it, and faded in at constant power."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class SpliceOptions:
    """Parameters of a join, in samples. A run must be longer than twice the crossfade."""

    crossfade: int = 1323  # 30 ms
    search: int = 353  # 8 ms: largest shift of a run, to either side

    def __post_init__(self) -> None:
        if self.crossfade < 2 or self.search < 0:
            raise OptionError(f"{self}: crossfade must be at least 2 samples, and search not below 0.")

    @property
    def before(self) -> int:
        """Samples before a run that are needed to shift it."""
        return self.crossfade + 2 * self.search


class Splicer:
    """Joins runs as they come. The last samples are kept back for the crossfade into the next run."""

    def __init__(self, lead: np.ndarray, options: SpliceOptions) -> None:
        """lead: (samples, channels) before the cut, of which the last `options.crossfade` come with the first run.

        Raises OptionError when there are fewer.
        """
        if len(lead) < options.crossfade:
            raise OptionError(f"{len(lead)} samples before the cut are too few for a crossfade of {options.crossfade}.")
        self.options = options
        self.kept = lead[-options.crossfade :]
        self.late = 0  # samples by which the next run is late, because of earlier shifts

    def push(self, sound: np.ndarray, before: int) -> np.ndarray:
        """Adds a run. sound: (samples, channels), `before` samples of context and then the run.

        Returns the samples that are final, (samples, channels). No run plays further from its time than
        `options.search`, however many were shifted. A run with less context than `options.before` is not shifted.
        """
        fade, missing = self.options.crossfade, max(0, self.options.crossfade - before)
        if before >= self.options.before:
            due = before + self.late
            shift = self._best_shift(sound[due - fade - self.options.search : due + self.options.search])
            before, self.late = due + shift, -shift
        piece = np.pad(sound, ((missing, 0), (0, 0)))[before + missing - fade :]  # silence precedes a recording
        joined = np.concatenate([faded(self.kept, piece[:fade]), piece[fade:]])
        self.kept = joined[len(joined) - fade :]
        return joined[: len(joined) - fade]

    def land(self, sound: np.ndarray, before: int, due: int, right: np.ndarray) -> np.ndarray:
        """Adds the last run and, `due` samples from now, the sound `right`, (n, channels).

        The run is shifted to fit both sides. It must reach beyond the landing by the search and a fade.
        """
        fade, search, missing = self.options.crossfade, self.options.search, max(0, self.options.crossfade - before)
        if before >= self.options.before:
            begin = before + self.late - fade
            fits = sum(
                _fit(tail, sound[at - search : at + fade + search]) / (np.linalg.norm(tail.mean(axis=1)) + 1e-6)
                for tail, at in ((self.kept, begin), (right[:fade], begin + due))
            )
            begin += int(np.argmax(fits)) - search
        else:
            sound, begin = np.pad(sound, ((missing, 0), (0, 0))), before + missing - fade
        piece = sound[begin : begin + due + fade]
        ends = faded(self.kept, piece[:fade]), faded(piece[due:], right[:fade])
        return np.concatenate([ends[0], piece[fade:due], ends[1], right[fade:]])

    def rest(self) -> np.ndarray:
        """Returns the end of the last run."""
        return self.kept

    def _best_shift(self, around: np.ndarray) -> int:
        """Returns the shift at which the sound around the due place is most like the last samples."""
        return int(np.argmax(_fit(self.kept, around))) - self.options.search


def _fit(tail: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Returns the normalized correlation of `tail` with each place of the longer `around`."""
    last, mono = tail.mean(axis=1), around.mean(axis=1)
    energy = np.convolve(mono**2, np.ones(len(last), np.float32), "valid")
    likeness: np.ndarray = np.correlate(mono, last, "valid") / np.sqrt(energy + 1e-6)
    return likeness


def faded(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Fades from one piece to the other, both (samples, channels), at constant power however alike they are."""
    turn = np.linspace(0.0, np.pi / 2, len(one), dtype=np.float32)[:, None]
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    # Alike sounds add up in amplitude, unlike ones in power: the sum is divided by what it would gain.
    likeness = max(0.0, float((one * other).sum()) / norm) if norm > 0.0 else 0.0
    mixed: np.ndarray = (one * np.cos(turn) + other * np.sin(turn)) / np.sqrt(1.0 + likeness * np.sin(2.0 * turn))
    return mixed
