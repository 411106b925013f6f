"""How long something will still take, by how fast it goes once it is warm.

What comes first is slow: files are not in memory yet, graphs are built, a shape is compiled for. It is left out, and
of what comes then the median counts, of the latest: a moment in which the machine did something else changes nothing.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Hashable

SLICE_SECONDS = 0.5  # at least, of what is clocked
SLICES = 4  # that an estimate needs
LATEST = 16  # that it rests on
AGREEMENT = 0.25  # share by which the newer half may differ from the older one
PATIENCE = 16  # slices after which an estimate is made of what there is


class Pace:
    """Seconds for a unit of work. The first slice of each kind counts as cold."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=LATEST)  # for a unit, of each slice
        self._seen: set[Hashable] = set()
        self._warm = 0

    def add(self, work: float, seconds: float, kind: Hashable = None) -> None:
        """A slice of work that was just done. kind: what it has in common with others that warm it up."""
        if work <= 0:
            return
        if kind not in self._seen:
            self._seen.add(kind)
            return
        self._seconds.append(seconds / work)
        self._warm += 1

    def seconds_for(self, work: float) -> float | None:
        """How long so much will take; None while that cannot be said."""
        if self._warm < SLICES:
            return None
        half = len(self._seconds) // 2
        older, newer = (statistics.median(list(self._seconds)[part]) for part in (slice(half), slice(half, None)))
        if self._warm < PATIENCE and abs(newer - older) > AGREEMENT * older:
            return None
        return work * statistics.median(self._seconds)


class Clocked:
    """The pace of something that says now and then how much of it is done."""

    def __init__(self) -> None:
        self.started = self._before = time.monotonic()
        self._done = 0.0
        self._pace = Pace()

    def left(self, done: float, total: float) -> float | None:
        """Seconds that the rest will take, now that so much is done; None while that cannot be said."""
        now = time.monotonic()
        if done > self._done and now - self._before >= SLICE_SECONDS:
            self._pace.add(done - self._done, now - self._before)
            self._before, self._done = now, done
        return self._pace.seconds_for(total - done)
