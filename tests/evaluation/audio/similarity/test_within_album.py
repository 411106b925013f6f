"""What recordings of an album share, and what returns within each, on music in which both are known."""

from pathlib import Path

import numpy as np
import pytest

from music_composer.audio.memory.options import MemoryOptions
from music_composer.audio.memory.store import Entry, Index, name_of, write_part
from music_composer.evaluation.audio.similarity.within_album import described, returned_by
from tests.audio.memory.music import FRAME, OPTIONS, RATE, STEP, played, recording


def remembered(folder: Path, sounds: list[np.ndarray]) -> list[Entry]:
    entries = []
    for i, sound in enumerate(sounds):
        analyzed = recording(sound)
        steps = len(analyzed.steps)
        name = name_of(str(i), 0, steps, OPTIONS.steps, FRAME)
        entries.append(Entry(f"{i}.wav", name, steps, STEP, RATE, sound.shape[1]))
        write_part(folder, entries[-1], analyzed.samples, analyzed.steps)
    return entries


@pytest.mark.parametrize(("bar", "least", "most"), [(8, 0.9, 1.0), (None, 0.0, 0.2)])
def test_what_returns_within_recordings(tmp_path: Path, bar: int | None, least: float, most: float) -> None:
    """The music repeats eight notes, or never repeats."""
    entries = remembered(tmp_path, [played(30.0, seed=i, bar=bar) for i in range(3)])
    assert least <= returned_by(tmp_path, entries, FRAME) <= most


def test_of_recordings_that_are_too_short_nothing_is_known(tmp_path: Path) -> None:
    assert returned_by(tmp_path, remembered(tmp_path, [played(6.0)]), FRAME) == 1.0


def test_recordings_of_one_kind_are_remembered_in_other_keys(tmp_path: Path) -> None:
    """The recordings share six seconds, or nothing."""
    common = played(6.0, seed=50)
    alike = [np.concatenate([played(12.0, seed=i), common, played(12.0, seed=10 + i)]) for i in range(3)]
    found = described(tmp_path, remembered(tmp_path, alike), FRAME)
    assert found.shared == pytest.approx(6.0, abs=0.3)
    assert found.returned < 0.2
    assert found.semitones == (-2, -1, 1, 2)
    apart = remembered(tmp_path, [played(30.0, seed=20 + i) for i in range(3)])
    found = described(tmp_path, apart, FRAME)
    assert found == Index(tuple(apart), found.shared)
    assert found.shared < MemoryOptions.uniform_from
