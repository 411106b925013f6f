"""Cuts the power before the n-th thing that a function does to files, without leaving the process."""

from __future__ import annotations

import sys
from collections.abc import Callable

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")
WRITING = 0o1 | 0o2  # O_WRONLY, O_RDWR


class Cut(BaseException):
    """Nothing that a process does after this changes a file."""


class _Power:
    """The hook of audit events, which cannot be taken out again: it is switched on and off."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.hooked = False

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.left is None:
            return
        if event in CHANGES or (event == "open" and _writes(arguments)):
            if self.left == 0:
                raise Cut
            self.left -= 1


_POWER = _Power()


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & WRITING)


def cut_before(number: int, work: Callable[[], object]) -> bool:
    """Runs `work` up to its `number`-th opening for writing, rename, removal or new folder. False: it ended before."""
    if not _POWER.hooked:
        sys.addaudithook(_POWER.hook)
        _POWER.hooked = True
    _POWER.left = number
    try:
        work()
    except Cut:
        return True
    finally:
        _POWER.left = None
    return False
