"""Ctrl-C while something long runs that is to end whole."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def patient_interrupt() -> Iterator[Callable[[], bool]]:
    """While inside, the first Ctrl-C only sets a flag; a second one interrupts as usual."""
    count = 0

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread: whoever runs us there handles Ctrl-C
        yield lambda: False
        return
    try:
        yield lambda: count > 0
    finally:
        signal.signal(signal.SIGINT, before)
