"""Jobs in bundles: to send one job costs as much as a small one takes, so that small ones are sent together."""

from __future__ import annotations

BUNDLE_SECONDS = 2.0  # that a bundle is to take: about a hundred times what it costs to send


class Bundles:
    """Gives the numbers of `count` jobs in bundles for `workers`, each about as long as BUNDLE_SECONDS.

    The first bundles hold one job. Towards the end they become small again, so that all workers end together.
    """

    def __init__(self, count: int, workers: int) -> None:
        self._count, self._workers = count, workers
        self._first, self._size = 0, 1
        self._alone: list[int] = []

    def following(self) -> list[int]:
        """Returns the numbers of the next bundle, none when all were given."""
        if self._alone:
            return [self._alone.pop(0)]
        left = self._count - self._first
        numbers = range(self._first, self._first + min(left, self._size, max(1, left // (2 * self._workers))))
        self._first = numbers.stop
        return list(numbers)

    def took(self, jobs: int, seconds: float) -> None:
        """Tells how long a bundle of so many jobs took: from this the size of those that follow is known."""
        fitting = int(jobs * BUNDLE_SECONDS / max(seconds, 1e-6))
        self._size = max(1, min(fitting, 2 * self._size))

    def again(self, numbers: list[int]) -> None:
        """Each of these jobs is given again, by itself: one of them ended its worker."""
        self._alone += numbers
