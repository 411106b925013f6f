"""Items that are made ahead: while one is in use, a thread makes the next."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Iterator[T]) -> Iterator[T]:
    """Yields the same items, each made in a thread while the one before is in use. The first is started at once.

    An error of `items` is raised where its item would have come. Closing the iterator waits for what is being made.
    """
    end = object()
    # One thread: items of one iterator cannot be made side by side.
    pool = ThreadPoolExecutor(1)
    first = pool.submit(next, items, end)

    def made() -> Iterator[T]:
        with pool:
            coming = first
            while (item := coming.result()) is not end:
                coming = pool.submit(next, items, end)
                yield item  # type: ignore[misc]  # what is not the end is an item

    return made()
