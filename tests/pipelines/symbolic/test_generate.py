"""What a model plays is put together and said, with a model that is made up: no network is needed."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from music_composer.context import Context
from music_composer.data.options import FolderOptions
from music_composer.pipelines.symbolic import generate, loaded
from music_composer.pipelines.symbolic.requests import GenerateRequest
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.midi.midi_file import read_midi, write_midi
from music_composer.symbolic.options import MODELS, BoundOptions, PlayOptions
from music_composer.symbolic.roll_operations import silence
from tests.symbolic.bands import band
from tests.symbolic.composition.test_assemble import assert_same


@pytest.fixture
def band_file(tmp_path: Path) -> Path:
    write_midi(band(), tmp_path / "band.mid")
    return tmp_path / "band.mid"


def generated(
    monkeypatch: pytest.MonkeyPatch, primer: Path | None, pitches: tuple[int, ...], **options: object
) -> tuple[list[Path], list[str]]:
    """The files of a model that strikes the same pitches in all open steps, and what was said."""

    def play(player: object, constraint_sets: list, options: PlayOptions, rngs: list) -> list:
        made = []
        for constraints in constraint_sets:
            roll = silence(constraints.steps, constraints.fixed)
            roll.velocity[np.ix_(constraints.editable, pitches)] = 70
            roll.onset[np.ix_(constraints.editable, pitches)] = True
            made.append(roll)
        return made

    run = SymbolicRun(Path("model"), "voices", MODELS["voices"](), 4, 0.1, 100.0, (4, 4))
    monkeypatch.setattr(loaded.symbolic_run, "read_run", lambda folder: run)
    monkeypatch.setattr(loaded.networks, "trained_network", lambda run: None)
    composer = types.SimpleNamespace(player=lambda model: None, generate=play)
    monkeypatch.setattr(loaded, "note_model", lambda name: composer)
    monkeypatch.setattr(loaded.run_folder, "versions", dict)
    said: list[str] = []
    playing = PlayOptions(count=2, steps=16, seed=1, **options)  # type: ignore[arg-type]
    return generate.generate(
        GenerateRequest(FolderOptions(), playing, BoundOptions(), primer), Context(said.append)
    ), said


def test_kept_parts_and_new_ones_are_written_and_the_grid_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, band_file: Path
) -> None:
    paths, said = generated(monkeypatch, band_file, (38, 74), name=str(tmp_path / "out"))
    assert paths == [tmp_path / "out-0.mid", tmp_path / "out-1.mid"]
    assert said[0].startswith(f"note: {band_file}: 28 of 84 onsets are not on sixteenths")
    assert not any("no new notes" in line for line in said)
    score, primer = read_midi(paths[1]).score, read_midi(band_file).score
    for part, other in zip(score.parts, primer.parts, strict=False):
        assert_same(part, other)
    assert [part.program for part in score.parts[4:]] == [33, 48]
    assert (score.tempos, score.metres, score.resolution) == (primer.tempos, primer.metres, primer.resolution)


def test_a_piece_without_new_notes_is_said_and_keeps_what_it_keeps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, band_file: Path
) -> None:
    paths, said = generated(monkeypatch, band_file, (), name=str(tmp_path / "out"), lock_tracks=(3,))
    for path in paths:
        assert any(line.startswith(f"note: {path} has no new notes: the model is trained too little") for line in said)
        (kit,) = read_midi(path).score.parts
        assert_same(kit, read_midi(band_file).score.parts[3])
    paths, said = generated(monkeypatch, None, (), name=str(tmp_path / "nothing"))
    assert sum("no new notes" in line for line in said) == 2
    assert read_midi(paths[0]).score.count == 0


def test_a_primer_in_words_is_one_part_with_what_follows_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = {"primer_melody": "[60, -2, 62, -2]", "program": 40}
    paths, said = generated(monkeypatch, None, (65,), name=str(tmp_path / "out"), **words)
    (part,) = read_midi(paths[0]).score.parts
    assert part.program == 40
    assert part.notes[["start", "pitch"]].tolist()[:3] == [(0, 60), (240, 62), (480, 65)]


def test_what_was_composed_is_as_long_as_the_tempos_say(band_file: Path) -> None:
    blank = SymbolicRun(Path("model"), "voices", MODELS["voices"](), 4, 0.1, 100.0, (4, 4)).blank
    constraints = generate.constraints_from(band_file, PlayOptions(from_bar=4, to_bar=5), BoundOptions(), blank)
    tempos = [tempo for _, tempo in read_midi(band_file).score.tempos]
    assert generate.seconds_of(constraints) == pytest.approx(sum(3 * 60 / tempo for tempo in tempos))
