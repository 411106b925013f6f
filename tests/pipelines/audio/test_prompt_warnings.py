"""Warnings about a prompt before it is continued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from music_composer.pipelines.audio.prompt_warnings import warn_truncated


@pytest.mark.parametrize(("head", "count"), [("memory", 1), ("flow", 0)])
def test_of_a_long_prompt_the_end_is_heard_and_a_line_says_so(
    tmp_path: Path, record: Callable[..., Path], head: str, count: int
) -> None:
    run: Any = SimpleNamespace(model=SimpleNamespace(head=head))
    long, short = (record(tmp_path / f"{s}.wav", np.zeros((s * 8000, 1), np.float32), rate=8000) for s in (90, 30))
    lines: list[str] = []
    warn_truncated(run, [long, short, long], 60.0, lines.append)
    assert lines == [f"note: {long} is 1.5 minutes long: its last 1 are used"] * count
