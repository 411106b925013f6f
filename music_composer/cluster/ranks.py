"""Ranks: processes of a cluster that are started together and work on one thing, each knowing where the others are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from music_composer.context import Context
from music_composer.errors import ClusterError


class RankLostError(ClusterError):
    """The process of a rank ended before its work was done. The others were ended, too."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Of a rank. addresses: HOST:PORT of all ranks. threads: that it may use; 0: all cores of its machine."""

    rank: int
    addresses: tuple[str, ...]
    threads: int

    @property
    def count(self) -> int:
        return len(self.addresses)


Main = Callable[..., Any]  # main(place, context, *arguments), a function of a module


@runtime_checkable
class RankExecutor(Protocol):
    """An executor that can start ranks."""

    def rank_count(self) -> int:
        """How many ranks the cluster has room for: one for each GPU, or for each machine where there is none."""

    def run_ranks(self, main: Main, count: int, arguments: Sequence[Any], context: Context) -> Any:
        """Calls main(place, context, *arguments) in `count` processes at the same time; returns what rank 0 returns.

        They are started together or not at all. What rank 0 says, reports and writes goes to `context`; when that is to
        stop, so is the context of rank 0. Raises what a rank raises, RankLostError where one ends, ClusterError where
        there is no room for all.
        """
