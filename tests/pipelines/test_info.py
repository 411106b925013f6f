"""What there is in the folders, as a record that goes to JSON and back, and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from music_composer.data.options import FolderOptions
from music_composer.pipelines.info import Info, ModelInfo, describe, describe_midi, lines_of, midi_lines_of
from music_composer.pipelines.symbolic.info import FilesInfo, describe_files, file_lines_of
from music_composer.records import from_json, to_json
from tests.command import tune, write
from tests.symbolic.tunes import write_tune


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording and a score to learn from, and nothing else."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "input_music_dataset" / "song.wav", tune(1))
    write_tune(tmp_path / "input_music_dataset" / "song.mid", 1)


def test_nothing_but_a_dataset() -> None:
    found = describe(FolderOptions())
    assert (found.dataset.files, found.dataset.problem) == (1, "")
    assert found.model == ModelInfo(Path("model"))
    assert from_json(Info, to_json(found)) == found
    assert lines_of(found) == [
        "dataset  input_music_dataset: 1 recordings",
        "cache    train_data: nothing prepared",
        "model    model: nothing trained",
    ]


def test_the_same_of_notes() -> None:
    found = describe_midi(FolderOptions(model=Path("midi_model")))
    assert found.dataset.files == 1
    assert from_json(Info, to_json(found)) == found
    assert midi_lines_of(found)[0] == "dataset  input_music_dataset: 1 MIDI files"


def test_a_dataset_that_is_not_there_says_why() -> None:
    found = describe(FolderOptions(datasets=Path("none")))
    assert "none" in found.dataset.problem
    assert lines_of(found)[0] == f"dataset  {found.dataset.problem}"


def test_the_parts_of_files_and_why_one_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    found = describe_files([Path("input_music_dataset/song.mid"), Path("broken.mid")])
    assert from_json(FilesInfo, to_json(found)) == found
    whole, broken = found.files
    assert [(part.number, part.notes, part.pitches) for part in whole.parts] == [(0, 30, "36-69")]
    assert whole.bars == 6 and whole.seconds == pytest.approx(24 * 0.6)
    assert "broken.mid" in broken.problem and not broken.parts
    lines = file_lines_of(found)
    assert any("30 notes in 1 part, 6 bars, 14.4 s, 4/4" in line for line in lines)
    assert lines[-1] == f"note: {broken.problem}"
