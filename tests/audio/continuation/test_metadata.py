"""The metadata beside a WAV: where it was cut, and where its player jumped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from music_composer.audio.continuation.metadata import read_cut, read_jumps


@pytest.mark.parametrize(
    ("notes", "cut", "jumps"),
    [
        ({"new_music_from_second": 5.25, "jumps": [6.5, 9]}, 5.25, [6.5, 9.0]),
        ({"new_music_from_second": 5.25}, 5.25, []),
        ({"new_music_from_second": "late", "jumps": "often"}, 0.0, []),
        ({"new_music_from_second": [], "jumps": [1.0, None]}, 0.0, []),
        ([1, 2], 0.0, []),
        (None, 0.0, []),
    ],
)
def test_notes_of_ours_and_of_others(tmp_path: Path, notes: Any, cut: float, jumps: list[float]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(notes))
    assert (read_cut(tmp_path / "a.wav"), read_jumps(tmp_path / "a.wav")) == (cut, jumps)


def test_without_notes_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{")
    for name in ("a.wav", "b.wav"):
        assert (read_cut(tmp_path / name), read_jumps(tmp_path / name)) == (0.0, [])
