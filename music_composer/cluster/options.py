"""Where the engine is, and how much of it is used. Defaults live here and nowhere else."""

from __future__ import annotations

import dataclasses
import re

from music_composer.errors import OptionError

LOCAL = "local"
MOST_WORKERS = 100_000
ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


@dataclasses.dataclass(frozen=True)
class ClusterOptions:
    """address: "local" for an engine that is started on this machine and ends with the command, HOST:PORT of the head
    of a cluster, or ray://HOST:PORT of its server for clients that are not part of it; None: no engine. workers:
    processes at work at a time; None: all cores that the engine has.
    """

    address: str | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        """Raises OptionError for an address that is none, and for workers without one."""
        if self.workers is not None and self.address is None:
            raise OptionError("--workers does nothing without --cluster: give that too, for example --cluster local")
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise OptionError(f"--workers is {self.workers}: it must be between 1 and {MOST_WORKERS:,}")
        if self.address not in (None, LOCAL):
            host_and_port(self.address or "")


def host_and_port(address: str) -> tuple[str, int]:
    """Returns host and port of an address. Raises OptionError for what is neither."""
    found = ADDRESS.fullmatch(address)
    if not found or not 0 < int(found["port"]) < 65536:
        raise OptionError(
            f"--cluster is {address!r}: give {LOCAL!r}, or HOST:PORT or ray://HOST:PORT of the head of a cluster"
        )
    return found["host"].strip("[]"), int(found["port"])
