"""Phrases that were played lately: how often the music after an entry was heard, from whatever place it came.

The guard follows single places. A recording that repeats itself offers the same phrase at several of them, so this
module compares what the music after an entry sounds like.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.audio.memory.analysis.views import unit
from music_composer.errors import OptionError


@dataclasses.dataclass(frozen=True)
class PhraseOptions:
    """How phrases are compared, and which of them count."""

    # Pairs of 4 s that are heard as equal read 0.93 and more in three of four cases, other pairs at most 0.5 in 19 of
    # 20 (rendered strings).
    alike: float = 0.85  # cosine from which two phrases are the same
    blocks: int = 4  # of a phrase; their means are compared
    block: int = 16  # steps, 0.4 s
    components: int = 10  # of the rows: the first ones weigh most
    lately: float = 40.0  # seconds in which phrases count
    newest: float = 2.0  # seconds before the present that do not count, since held notes resemble themselves
    apart: int = 5  # blocks within which several matches count as one
    free: int = 1  # times that a phrase may be heard at no loss
    most: int = 4  # further times that count

    def __post_init__(self) -> None:
        if not 0.0 < self.alike < 1.0 or min(self.blocks, self.block, self.components, self.apart, self.most) < 1:
            raise OptionError(f"{self}: alike must lie between 0 and 1, and counts be at least 1.")
        if self.lately <= 0.0 or min(self.newest, self.free) < 0:
            raise OptionError(f"{self}: lately must be above 0, and newest and free not be below 0.")


@dataclasses.dataclass
class PlayedPhrases:
    """What was played lately.

    following: float32 (entries, columns), the phrase after each entry. phrases: (any, columns), the phrase from each
    played block on, oldest first. pending: (steps, components), the end of the music, which fills no phrase yet.
    """

    following: np.ndarray
    phrases: np.ndarray
    pending: np.ndarray


def start_phrases(rows: np.ndarray, firsts: np.ndarray, entries: np.ndarray, options: PhraseOptions) -> PlayedPhrases:
    """Returns the state before anything is played.

    rows: (places, components) of the memory. firsts: the first place of each recording, and one past the last place.
    entries: rising places.
    """
    rows, bounds = rows[:, : options.components], np.searchsorted(entries, firsts)
    following = np.concatenate(
        [
            phrases_from(rows[first:last], entries[low:high] - first, options)
            for first, last, low, high in zip(firsts, firsts[1:], bounds, bounds[1:], strict=False)
        ]
    )
    return PlayedPhrases(following, following[:0], rows[:0])


def phrases_from(rows: np.ndarray, at: np.ndarray, options: PhraseOptions) -> np.ndarray:
    """Returns the phrase from each of the steps `at` on: float32 (any, blocks * components), rows of length 1.

    rows: (steps, components) of one recording. Behind its end, a phrase repeats the last step.
    """
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    means = []
    for i in range(options.blocks):
        low = np.minimum(at + i * options.block, len(rows) - 1)
        high = np.minimum(low + options.block, len(rows))
        means.append((sums[high] - sums[low]) / (high - low)[:, None])
    return unit(np.concatenate(means, axis=1).astype(np.float32))


def play_phrases(played: PlayedPhrases, rows: np.ndarray, per_second: float, options: PhraseOptions) -> None:
    """Adds rows (steps, components) of played music, in place."""
    pending = np.concatenate([played.pending, rows[:, : options.components]])
    count = max(0, len(pending) // options.block - options.blocks + 1)
    new = phrases_from(pending, np.arange(count) * options.block, options)
    kept = max(1, round(options.lately * per_second / options.block))
    played.phrases, played.pending = np.concatenate([played.phrases, new])[-kept:], pending[count * options.block :]


def times_played(played: PlayedPhrases, per_second: float, options: PhraseOptions) -> np.ndarray:
    """Returns how often the phrase after each entry was played lately, beyond the free times: float32 (entries,)."""
    # A phrase is known `blocks` blocks after it began.
    newest = max(0, round(options.newest * per_second / options.block) - options.blocks)
    before = played.phrases[: len(played.phrases) - newest]
    alike = before @ played.following.T > np.float32(options.alike)
    alike = np.pad(alike, ((-len(alike) % options.apart, 0), (0, 0)))
    times = alike.reshape(-1, options.apart, len(played.following)).any(axis=1).sum(axis=0)
    return (times - options.free).clip(0, options.most).astype(np.float32)
