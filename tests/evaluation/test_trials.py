"""Rows of tunes whose order is known: real music, loops, splices, copies and clicks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.evaluation.hearing import Heard, Measures, Row, Span, hear
from music_composer.evaluation.trials import Trials, order_rows
from tests.evaluation.tunes import FLUTES, RATE, REEDS, shuffled, tune

MEASURES, SECONDS, BEAT = Measures(), 13.0, 0.25
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
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    folder: Path = tmp_path_factory.mktemp("tunes")

    def heard(name: str, samples: np.ndarray) -> Heard:
        soundfile.write(folder / f"{name}.wav", 0.5 * samples[: round(SECONDS * RATE)], RATE, subtype="PCM_24")
        return hear(Span(folder / f"{name}.wav"), MEASURES)

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
    trials = Trials([heard(f"prompt {i}", each) for i, each in enumerate(prompts)], played)
    library = [heard(f"training {i}", each) for i, each in enumerate(training)]
    return {row["music"]: row for row in order_rows(real, library, trials, MEASURES)}


def test_real_music_reads_the_same_as_a_ruler_and_as_a_continuation(rows: dict[str, Row]) -> None:
    ruler, made = rows["real, held out"], rows["real"]
    assert made["prompt_again"] < 0.3
    for figure in ("pulse", "steadiness", "boundaries_per_minute", "training_again", "clicks_per_minute"):
        assert made[figure] == ruler[figure], figure
    assert (ruler["prompt_again"], ruler["pieces"]) == (None, 2)


@pytest.mark.parametrize("toy", ["looped", "shuffled"])
def test_the_prompt_looped_or_shuffled_loses_the_beat_and_is_heard_again(rows: dict[str, Row], toy: str) -> None:
    assert rows[toy]["prompt_again"] > 0.6
    assert rows["shuffled"]["steadiness"] < 0.8 * rows["real"]["steadiness"]
    assert rows[toy]["training_again"] < 0.3


def test_music_that_turns_into_another_reads_more_boundaries(rows: dict[str, Row]) -> None:
    assert rows["turning"]["boundaries_per_minute"] > 2 * rows["real"]["boundaries_per_minute"]
    assert rows["turning"]["clicks_per_minute"] <= rows["real"]["clicks_per_minute"] + 15


def test_what_was_learnt_by_heart_is_heard_again_and_keeps_the_beat(rows: dict[str, Row]) -> None:
    row = rows["learnt by heart"]
    assert row["training_again"] == 1.0
    assert row["training_longest_s"] == pytest.approx(SECONDS, abs=1.0)
    assert row["prompt_again"] < 0.3
    assert row["steadiness"] > 0.9 * rows["real"]["steadiness"]


def test_planted_clicks_are_counted(rows: dict[str, Row]) -> None:
    clicks = (rows["clicking"]["clicks_per_minute"] - rows["real"]["clicks_per_minute"]) * SECONDS / 60
    assert clicks == pytest.approx(len(CLICKS_AT), abs=0.5)
    assert rows["clicking"]["pulse"] > 0.8 * rows["real"]["pulse"]


def test_too_little_music_leaves_figures_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tune(REEDS, 0, 2.0), RATE)
    heard = [hear(Span(tmp_path / "a.wav"), MEASURES)]
    for row in order_rows(heard, heard, Trials((), {"made": heard}), MEASURES):
        assert (row["pulse"], row["steadiness"], row["prompt_again"]) == (None, None, None)
        assert row["training_again"] == 1.0
