"""Rows of tunes whose order is known: real music, loops, splices, copies and clicks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.evaluation.audio.analysis import Analysis, MetricOptions, Span, analyze
from music_composer.evaluation.audio.comparison import Trials, adherence_figures, order_rows
from music_composer.evaluation.audio.scorecard_records import OrderFigures
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, shuffled, tune

pytestmark = pytest.mark.journey

MEASURES, SECONDS, BEAT = MetricOptions(), 13.0, 0.25
CLICKS_AT = (3.125, 7.125, 11.125)  # between two beats


def clicking(samples: np.ndarray) -> np.ndarray:
    damaged = samples.copy()
    for second in CLICKS_AT:
        damaged[round(second * RATE)] += 0.9
    return damaged


def looped(samples: np.ndarray) -> np.ndarray:
    """Its first 2.7 s again and again: off the beat."""
    return np.tile(samples[: round(2.7 * RATE)], 6)


def turning(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two seconds of the one, two of the other."""
    mixed = one.copy()
    for second in range(2, int(SECONDS), 4):
        mixed[second * RATE : (second + 2) * RATE] = other[second * RATE : (second + 2) * RATE]
    return mixed


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, OrderFigures]:
    folder: Path = tmp_path_factory.mktemp("tunes")

    def heard(name: str, samples: np.ndarray) -> Analysis:
        soundfile.write(folder / f"{name}.wav", 0.5 * samples[: round(SECONDS * RATE)], RATE, subtype="PCM_24")
        return analyze(Span(folder / f"{name}.wav"), MEASURES)

    tracks = [tune(REEDS, track, 2 * SECONDS, BEAT) for track in range(2)]
    prompts, truths = ([half[i] for half in (np.split(each, 2) for each in tracks)] for i in range(2))
    training = [tune(REEDS, track, SECONDS, BEAT, seed=9) for track in range(2)]
    made = {
        "real": truths,
        "looped": [looped(each) for each in prompts],
        "shuffled": [shuffled(each, 1.8) for each in prompts],
        "turning": [turning(truths[0], tune(FLUTES, 2, SECONDS)), turning(truths[1], tune(FLUTES, 2, SECONDS))],
        "clicking": [clicking(each) for each in truths],
        "learnt by heart": training,
    }
    real = [heard(f"real {i}", each) for i, each in enumerate(truths)]
    played = {name: [heard(f"{name} {i}", each) for i, each in enumerate(pieces)] for name, pieces in made.items()}
    trials = Trials([heard(f"prompt {i}", each) for i, each in enumerate(prompts)], played=played)
    library = [heard(f"training {i}", each) for i, each in enumerate(training)]
    return {row.music: row for row in order_rows(real, library, trials, MEASURES)}


def test_real_music_reads_the_same_as_a_ruler_and_as_a_continuation(rows: dict[str, OrderFigures]) -> None:
    ruler, made = rows["real, held out"], rows["real"]
    assert made.prompt_repeated < 0.3
    for figure in ("pulse", "steadiness", "boundaries_per_minute", "training_repeated", "clicks_per_minute"):
        assert getattr(made, figure) == getattr(ruler, figure), figure
    assert (ruler.prompt_repeated, ruler.pieces) == (None, 2)


@pytest.mark.parametrize("toy", ["looped", "shuffled"])
def test_the_prompt_looped_or_shuffled_loses_the_beat_and_is_heard_again(
    rows: dict[str, OrderFigures], toy: str
) -> None:
    assert rows[toy].prompt_repeated > 0.6
    assert rows["shuffled"].steadiness < 0.8 * rows["real"].steadiness
    assert rows[toy].training_repeated < 0.3


def test_music_that_turns_into_another_reads_more_boundaries(rows: dict[str, OrderFigures]) -> None:
    assert rows["turning"].boundaries_per_minute > 2 * rows["real"].boundaries_per_minute
    assert rows["turning"].clicks_per_minute <= rows["real"].clicks_per_minute + 15


def test_what_was_learnt_by_heart_is_heard_again_and_keeps_the_beat(rows: dict[str, OrderFigures]) -> None:
    row = rows["learnt by heart"]
    assert row.training_repeated == 1.0
    assert row.training_longest_s == pytest.approx(SECONDS, abs=1.0)
    assert row.prompt_repeated < 0.3
    assert row.steadiness > 0.9 * rows["real"].steadiness


def test_planted_clicks_are_counted(rows: dict[str, OrderFigures]) -> None:
    clicks = (rows["clicking"].clicks_per_minute - rows["real"].clicks_per_minute) * SECONDS / 60
    assert clicks == pytest.approx(len(CLICKS_AT), abs=0.5)
    assert rows["clicking"].pulse > 0.8 * rows["real"].pulse


def test_too_little_music_leaves_figures_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tune(REEDS, 0, 2.0), RATE)
    heard = [analyze(Span(tmp_path / "a.wav"), MEASURES)]
    for row in order_rows(heard, heard, Trials(played={"made": heard}), MEASURES):
        assert (row.pulse, row.steadiness, row.prompt_repeated) == (None, None, None)
        assert row.training_repeated == 1.0


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    """Tracks of two albums, cut in three; continuations are those of other tracks, and toys."""
    folder: Path = tmp_path_factory.mktemp("cuts")
    tracks = [np.split(tune(album, track, 30.0), 3) for album in (FLUTES, REEDS) for track in range(3)]

    def heard(name: str, pieces: list[np.ndarray]) -> list[Analysis]:
        spans = []
        for i, samples in enumerate(pieces):
            soundfile.write(folder / f"{name} {i}.wav", 0.5 * samples, RATE)
            spans.append(Span(folder / f"{name} {i}.wav"))
        return [analyze(span, MEASURES) for span in spans]

    prompts, truths, later = (heard(name, [track[i] for track in tracks]) for i, name in enumerate("abc"))
    played = {
        "own track": later,
        "other track of the album": [later[i // 3 * 3 + (i + 1) % 3] for i in range(6)],
        "other album": [later[(i + 3) % 6] for i in range(6)],
        "the prompt, looped": heard("looped", [np.tile(track[0][: 4 * RATE], 3)[: 10 * RATE] for track in tracks]),
        "the prompt, shuffled": heard("shuffled", [shuffled(track[0], 1.8) for track in tracks]),
    }
    return Trials(prompts, truths, later, played, seconds=10.0, prompt_seconds=10.0)


def test_adherence_tells_tracks_and_albums_apart_and_prompts_adhere_in_any_order(cut: Trials) -> None:
    found = adherence_figures(cut, MEASURES)
    assert found
    assert (found.tracks, found.prompt_seconds, found.part_seconds, found.verdict) == (6, 10.0, 10.0, False)
    real, own, album, other, looped, shuffled_ = found.rows
    assert replace(own, music=real.music) == real
    assert real.normalized_rank == real.normalized_ratio == 1.0
    assert own.own_over_others < album.own_over_others < other.own_over_others
    assert own.rank < album.rank < other.rank
    assert (own.nearest, other.nearest) == (1.0, 0.0)
    for toy in (looped, shuffled_):
        assert toy.normalized_ratio > 0.75


def test_where_truths_are_known_they_are_the_ruler_of_the_order_too(cut: Trials) -> None:
    rows = order_rows([], [], cut, MEASURES)
    assert [row.music for row in rows] == ["real: the true next part", *cut.played]
    assert {row.pieces for row in rows} == {6}
    assert rows[0].prompt_repeated < rows[4].prompt_repeated > 0.8


def test_fewer_than_two_tracks_or_too_little_of_them_tell_nothing_apart(cut: Trials) -> None:
    one = replace(cut, truths=cut.truths[:1], later=cut.later[:1])
    assert adherence_figures(one, MEASURES) is None
    assert adherence_figures(Trials(), MEASURES) is None
    assert adherence_figures(replace(cut, seconds=1.0), MEASURES) is None
