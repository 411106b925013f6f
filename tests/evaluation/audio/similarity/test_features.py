"""Features of sounds with known pitch, noisiness and onsets."""

import numpy as np
import pytest

from music_composer.evaluation.audio.similarity.features import (
    feature_count,
    features_of_blocks,
    scale_of,
    windows_to_features,
)
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions

OPTIONS = DistanceOptions()
BANDS = OPTIONS.bands
FLATNESS, CENTROID, ONSET, STRONGEST = range(3 * BANDS, 3 * BANDS + 4)
TIME = np.arange(3 * 44100) / 44100


def sine(hz: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hz * TIME)


def noise(seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(len(TIME))


def mean_feature(samples: np.ndarray, column: int | slice) -> np.ndarray:
    return windows_to_features(samples, OPTIONS)[:, column].mean(axis=0)


@pytest.mark.parametrize("pitch", range(12))
def test_a_tone_is_in_its_pitch_class_in_every_octave(pitch: int) -> None:
    for octave in (1, 2, 4, 8):
        chroma = mean_feature(sine(130.8128 * octave * 2 ** (pitch / 12)), slice(-12, None))
        assert chroma.argmax() == pitch
        assert chroma[pitch] == pytest.approx(0.0, abs=0.2)
        assert np.delete(chroma, pitch).max() < -15


def test_noise_is_flat_and_a_tone_is_not() -> None:
    assert mean_feature(noise(), FLATNESS) > -4
    assert mean_feature(sine(440.0), FLATNESS) < -10


def test_higher_is_brighter() -> None:
    readings = [float(mean_feature(sine(hz), CENTROID)) for hz in (200, 1000, 4000, 12000)]
    assert readings == sorted(readings)
    assert readings[-1] - readings[0] > 3  # octaves


def test_struck_notes_have_onsets_and_a_held_one_has_none() -> None:
    struck = sine(440.0) * np.exp(-8 * (TIME % 0.25))
    assert mean_feature(struck, STRONGEST) > 5
    assert mean_feature(sine(440.0), STRONGEST) < 0.5
    assert mean_feature(struck, ONSET) > 3 * mean_feature(sine(440.0), ONSET)


def test_movement_is_in_its_columns() -> None:
    swelling = sine(1000.0) * (1.1 + np.sin(2 * np.pi * 6 * TIME))
    moved = mean_feature(swelling, slice(2 * BANDS, 3 * BANDS))
    still = mean_feature(sine(1000.0), slice(2 * BANDS, 3 * BANDS))
    assert moved.max() > 1 > 10 * still.max()


def test_silence_is_finite_and_blocks_make_no_difference() -> None:
    assert np.isfinite(windows_to_features(np.zeros(3 * 44100), OPTIONS)).all()
    music = sine(330.0) + noise()
    pieces = [music[:10000], music[10000:10001], music[10001:]]
    whole = windows_to_features(music, OPTIONS)
    assert whole.shape == (5, feature_count(OPTIONS))
    assert features_of_blocks(pieces, OPTIONS) == pytest.approx(whole, abs=1e-4)
    assert windows_to_features(music[:1000], OPTIONS).shape == (0, feature_count(OPTIONS))


def test_the_scale_brings_columns_to_at_most_unit_deviation() -> None:
    features = windows_to_features(np.concatenate([noise(1), sine(500.0), np.zeros(3 * 44100)]), OPTIONS)
    scaled = scale_of(features, OPTIONS)(features)
    assert scaled.std(axis=0).max() < 1
    assert scaled.std(axis=0).max() > 0.8
    constant = scale_of(np.ones((9, feature_count(OPTIONS))), OPTIONS)
    assert np.isfinite(constant(np.ones((1, feature_count(OPTIONS))))).all()
