"""Prompts like the recordings of a memory, and unlike them."""

from __future__ import annotations

import numpy as np
import pytest

from music_composer.errors import OptionError
from music_composer.evaluation.audio.similarity.out_of_distribution import OutOfDistributionOptions, distance_ratio

PER_SECOND = 43.0
Kind = tuple[float, float]  # where a spectrum has its peak, and by how much it moves


def levels(kind: Kind, seconds: float, seed: int, gain: float = 0.0) -> np.ndarray:
    """Returns levels (steps, 64), dB: tones around a peak that come and go, shifted a little in each recording."""
    peak, moves = kind
    rng = np.random.default_rng(seed)
    notes = rng.normal(peak + rng.normal(0.0, 1.0), 3.0, (round(seconds * 4), 1))
    shapes = -0.05 * (np.arange(64.0) - notes) ** 2 + rng.normal(0.0, moves, (len(notes), 64))
    return np.repeat(shapes, 11, axis=0)[: round(seconds * PER_SECOND)] - 20.0 + gain


LOW, HIGH = (15.0, 1.0), (45.0, 4.0)


@pytest.fixture(scope="module")
def album() -> list[np.ndarray]:
    return [levels(LOW, 60.0, seed) for seed in range(5)]


def test_a_prompt_of_the_same_kind_is_none_however_loud_it_is(album: list[np.ndarray]) -> None:
    found = [distance_ratio(levels(LOW, 20.0, 9, gain), album, PER_SECOND) for gain in (0.0, -30.0)]
    assert found[0] < 1.0
    assert found[1] == pytest.approx(found[0], abs=0.05)


def test_a_prompt_of_another_kind_is_a_stranger(album: list[np.ndarray]) -> None:
    assert distance_ratio(levels(HIGH, 20.0, 9), album, PER_SECOND) > 1.5
    assert distance_ratio(levels(HIGH, 20.0, 9), [*album, levels(HIGH, 60.0, 8)], PER_SECOND) < 1.0, "one is like it"


def test_of_one_recording_alone_too(album: list[np.ndarray]) -> None:
    assert (
        distance_ratio(levels(LOW, 20.0, 9), album[:1], PER_SECOND)
        < 1.0
        < distance_ratio(levels(HIGH, 20.0, 9), album[:1], PER_SECOND)
    )


def test_what_is_too_short_is_not_judged(album: list[np.ndarray]) -> None:
    assert distance_ratio(levels(HIGH, 3.0, 9), album, PER_SECOND) == 0.0
    assert distance_ratio(levels(HIGH, 20.0, 9), [], PER_SECOND) == 0.0
    assert distance_ratio(levels(HIGH, 20.0, 9), [levels(LOW, 2.0, 1)], PER_SECOND) == 0.0


def test_silence_is_no_error(album: list[np.ndarray]) -> None:
    silence = np.full((2000, 64), -100.0)
    assert np.isfinite(distance_ratio(silence, album, PER_SECOND))
    assert np.isfinite(distance_ratio(album[0], [silence], PER_SECOND))


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(OptionError, match="at least 3 recordings"):
        OutOfDistributionOptions(recordings=2)
