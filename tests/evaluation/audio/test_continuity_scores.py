"""Cuts and jumps of tunes that go on, that break off, and that stand still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.evaluation.audio import continuity_scores
from music_composer.evaluation.audio.analysis import MetricOptions, Span
from music_composer.evaluation.audio.continuity_scores import prompt_rows
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, tune

MEASURES = MetricOptions()
CUTS = (4.1, 7.4, 10.6)


@pytest.fixture(autouse=True)
def few_splices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuity_scores, "SPLICES", 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cuts")


def write(path: Path, samples: np.ndarray) -> Path:
    soundfile.write(path, 0.5 * samples, RATE)
    return path


@pytest.fixture(scope="module")
def real(folder: Path) -> list[Span]:
    tracks = [(FLUTES, 0), (FLUTES, 2), (REEDS, 1)]
    return [Span(write(folder / f"real {i}.wav", tune(*each, 9.0, seed=7))) for i, each in enumerate(tracks)]


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    return write(folder / "whole.wav", tune(REEDS, 0, 14.0))


def test_jumps_that_are_none_read_better_than_jumps_into_other_music(
    folder: Path, whole: Path, real: list[Span]
) -> None:
    first, second = round(CUTS[0] * RATE), round(CUTS[2] * RATE)
    one, other = tune(REEDS, 0, 14.0), tune(FLUTES, 2, 14.0)
    late = round(0.2 * RATE)  # off the beat
    pieces = [one[:first], other[first + late : second + late], one[second:]]
    jumping = write(folder / "jumping.wav", np.concatenate(pieces))
    smooth = prompt_rows([], [(whole, second) for second in CUTS], real, MEASURES)
    jumped = prompt_rows([], [(jumping, second) for second in CUTS[::2]], real, MEASURES)
    assert smooth and jumped
    assert list(smooth) == ["continuations, at jumps", "real, held out"]
    assert smooth["continuations, at jumps"].cuts == smooth["real, held out"].cuts == 3
    pulses = [rows["continuations, at jumps"].pulse for rows in (smooth, jumped)]
    assert None not in pulses, "two jumps have six seconds before them"
    assert smooth["continuations, at jumps"].better > jumped["continuations, at jumps"].better + 0.1


def test_what_stands_still_keeps_its_key_and_is_told_by_its_harmony(
    folder: Path, whole: Path, real: list[Span]
) -> None:
    still = np.sin(2 * np.pi * 440 * np.arange(14 * RATE) / RATE)
    path = write(folder / "still.wav", 0.2 * still)
    rows = [prompt_rows([Span(each, CUTS[0])], (), real, MEASURES) for each in (whole, path)]
    assert all(rows)
    moving, standing = (row["continuations"] for row in rows if row)
    assert standing.key == 1.0
    assert standing.harmonic_change < 0.05 < moving.harmonic_change


def test_places_without_music_around_them_are_left_out(whole: Path, real: list[Span]) -> None:
    assert prompt_rows([Span(whole)], [(whole, 0.5), (whole, 13.5)], real, MEASURES) is None
    rows = prompt_rows([Span(whole, 5.0)], [(whole, 0.5), (whole, 6.0)], real, MEASURES)
    assert rows
    assert [row.cuts for row in rows.values()] == [1, 1, 1]


def test_of_very_many_places_some_are_judged(whole: Path, real: list[Span], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuity_scores, "MOST_CUTS", 2)
    rows = prompt_rows([], [(whole, 2.0 + 0.1 * i) for i in range(6)], real, MEASURES)
    assert rows
    assert rows["continuations, at jumps"].cuts == 2
