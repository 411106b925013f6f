"""Each degradation has its effect, and the discrepancy puts all steps in order."""

import numpy as np
import pytest

from music_composer.evaluation.audio.signal.degradations import (
    DEGRADATIONS,
    gain_ramp,
    loop,
    low_pass,
    shuffled_grains,
    white_noise,
)
from music_composer.evaluation.audio.similarity.features import scale_of, windows_to_features
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions, frechet, reference_of
from music_composer.evaluation.audio.similarity.mmd import discrepancy, kernel_of
from tests.evaluation.audio.similarity.test_frechet_distance import notes

pytestmark = pytest.mark.journey

RATE = 44100
OPTIONS = DistanceOptions()


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    return notes(20, 60.0).mean(axis=1).astype(np.float64)


def damaged(music: np.ndarray, damage, seed: int = 0) -> np.ndarray:
    return damage(music, RATE, np.random.default_rng(seed))


@pytest.mark.parametrize("snr", [40, 10])
def test_noise_is_so_far_below_the_music(music: np.ndarray, snr: float) -> None:
    added = damaged(music, white_noise(snr)) - music
    assert 10 * np.log10(np.mean(music**2) / np.mean(added**2)) == pytest.approx(snr, abs=0.1)


def test_low_pass_takes_the_top_alone() -> None:
    time = np.arange(RATE) / RATE
    for hz, left in ((1000, 1.0), (8000, 0.0)):
        tone = np.sin(2 * np.pi * hz * time)
        assert np.std(damaged(tone, low_pass(4000))[2000:-2000]) / np.std(tone) == pytest.approx(left, abs=0.01)


def test_ramp_rises_as_said() -> None:
    ramped = damaged(np.ones(RATE * 60), gain_ramp(20))
    assert 20 * np.log10(ramped[-1] / ramped[0]) == pytest.approx(20, abs=0.01)


def test_loop_repeats_and_shuffle_keeps_every_grain(music: np.ndarray) -> None:
    looped = damaged(music, loop(4))
    assert len(looped) == len(music)
    assert np.array_equal(looped[: 4 * RATE], looped[4 * RATE : 8 * RATE])
    shuffled = damaged(music, shuffled_grains(0.05))
    assert np.array_equal(np.sort(shuffled), np.sort(music[: len(shuffled)]))
    assert not np.array_equal(shuffled, music[: len(shuffled)])


def test_the_measures_rank_the_ladder(music: np.ndarray) -> None:
    training = windows_to_features(notes(21, 180.0).mean(axis=1), OPTIONS)
    scale = scale_of(training, OPTIONS)
    reference = reference_of(scale(training), OPTIONS)
    kernel = kernel_of((scale(training) - reference.mean) @ reference.projection)
    for family, steps in DEGRADATIONS.items():
        sounds = [music, *(damaged(music, damage) for damage in steps.values())]
        features = [scale(windows_to_features(sound, OPTIONS)) for sound in sounds]
        far = [frechet(reference, each) for each in features]
        apart = [discrepancy(kernel, (each - reference.mean) @ reference.projection) for each in features]
        assert far == sorted(far), family
        assert apart == sorted(apart), family
