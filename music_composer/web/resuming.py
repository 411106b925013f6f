"""The words with which a job goes on from what it had saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

FRESH, LOAD, LOAD_BEST = "--fresh", "--load", "--load-best"
NETWORKS = "models.json"  # beside the music of an evolution that was saved


def resumed(words: Sequence[str], events: Iterable[Mapping[str, Any]], workspace: Path) -> list[str]:
    """Returns the words that continue a command that was stopped, or is done.

    Most commands go on by themselves. A training that began anew must not begin anew again, and an evolution begins
    with the networks that it had saved.
    """
    events = list(events)
    words = list(words)
    if any(event.get("stage") == "training" and event.get("done") for event in events):
        words = [word for word in words if word != FRESH]
    if words[:2] == ["midi", "evolve"]:
        written = [str(event.get("path", "")) for event in events if event.get("event") == "written"]
        networks = str(PurePath(written[-1]).with_name(NETWORKS)) if written else ""
        if networks and (workspace / networks).is_file():
            words = [word for word in words if not word.startswith((f"{LOAD}=", f"{LOAD_BEST}="))]
            words.insert(2, f"{LOAD}={networks}")
    return words
