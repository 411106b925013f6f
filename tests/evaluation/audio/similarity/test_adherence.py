"""Tunes with known relations: their own later part, another track of the album, another album."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from music_composer.errors import MusicComposerError
from music_composer.evaluation.audio.similarity.adherence import (
    Adherence,
    adherence_of,
    character,
    distances,
    energy_distance,
    share_of_the_way,
    whitening_of,
)
from music_composer.evaluation.audio.similarity.frechet_distance import DistanceOptions
from tests.evaluation.audio.tunes import FLUTES, RATE, REEDS, shuffled, tune

pytestmark = pytest.mark.journey

OPTIONS = DistanceOptions()
TRACKS = [(album, track) for album in (FLUTES, REEDS) for track in range(3)]


def character_of(samples):
    return character(samples, OPTIONS)


@pytest.fixture(scope="module")
def parts():
    """Prompt, true part and the part after it of every track, as samples."""
    return [np.split(tune(*track, 30.0), 3) for track in TRACKS]


@pytest.fixture(scope="module")
def truths(parts):
    return [character_of(part[1]) for part in parts]


@pytest.fixture(scope="module")
def whitening(truths):
    return whitening_of(truths, OPTIONS)


def adherence(made, truths, whitening):
    return adherence_of(distances([character_of(each) for each in made], truths, whitening))


def test_real_music_is_nearest_to_its_own_track_then_its_album_then_the_others(parts, truths, whitening):
    matrix = distances([character_of(part[2]) for part in parts], truths, whitening)
    for i in range(6):
        album = [j for j in range(6) if j // 3 == i // 3 and j != i]
        others = [j for j in range(6) if j // 3 != i // 3]
        assert matrix[i, i] < matrix[i, album].min()
        assert matrix[i, album].mean() < matrix[i, others].mean()
    real = adherence_of(matrix)
    assert real.nearest == 1.0
    assert real.rank == 1.0
    assert real.ratio < 0.3


def test_what_goes_on_with_another_track_does_not_adhere(parts, truths, whitening):
    real = adherence([part[2] for part in parts], truths, whitening)
    album = adherence([parts[i // 3 * 3 + (i + 1) % 3][2] for i in range(6)], truths, whitening)
    other = adherence([parts[(i + 3) % 6][2] for i in range(6)], truths, whitening)
    assert real.ratio < album.ratio < other.ratio
    assert other.nearest == 0.0
    assert share_of_the_way(real, real).rank == share_of_the_way(real, real).ratio == 1.0
    assert share_of_the_way(album, real).ratio < 0.6
    assert share_of_the_way(other, real).ratio < 0.1


def test_it_knows_no_order_which_is_why_it_does_not_stand_alone(parts, truths, whitening):
    real = adherence([part[2] for part in parts], truths, whitening)
    toy = adherence([shuffled(part[0], 2.0) for part in parts], truths, whitening)
    assert share_of_the_way(toy, real).ratio > 0.85


def test_a_gain_changes_nothing(parts):
    loud = parts[3][1]
    np.testing.assert_allclose(character_of(0.1 * loud), character_of(loud), atol=0.01)


def test_a_window_that_is_not_full_and_silence(parts):
    assert character_of(parts[0][0][: RATE // 4]).shape == (0, 2 * OPTIONS.bands + 12)
    assert np.ptp(character_of(np.zeros(RATE)), axis=0).max() == 0.0


@given(st.integers(2, 20), st.integers(2, 20), st.integers(0, 10))
def test_energy_distance_is_symmetric_and_grows_with_what_sets_two_sources_apart(n, m, seed):
    rng = np.random.default_rng(seed)
    one, other = rng.standard_normal((n, 3)), rng.standard_normal((m, 3))
    assert energy_distance(one, other) == pytest.approx(energy_distance(other, one))
    assert energy_distance(one, other + 10.0) > energy_distance(one, other + 5.0) > energy_distance(one, other)


def test_energy_distance_of_two_draws_from_one_source_is_about_nothing_at_any_length():
    rng = np.random.default_rng(0)
    for n, m in ((5, 5), (5, 50), (50, 50)):
        draws = [energy_distance(rng.standard_normal((n, 4)), rng.standard_normal((m, 4))) for _ in range(300)]
        assert abs(np.mean(draws)) < 4.0 * np.std(draws) / np.sqrt(300)


def test_ranks_and_ratios_by_hand():
    found = adherence_of(np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 1.0], [1.0, 1.0, 4.0]]))
    np.testing.assert_allclose(found.ranks, [1.0, 2.5, 3.0])
    np.testing.assert_allclose(found.ratios, [0.4, 2.0 / 1.5, 4.0])
    assert found.nearest == pytest.approx(1 / 3)


def test_the_way_is_measured_from_chance_to_real():
    real, chance = Adherence(np.array([1.0] * 5), np.full(5, 0.2)), Adherence(np.full(5, 3.0), np.ones(5))
    half = Adherence(np.full(5, 2.0), np.full(5, 0.6))
    assert share_of_the_way(half, real).rank == share_of_the_way(half, real).ratio == pytest.approx(0.5)
    assert share_of_the_way(chance, real).rank == 0.0
    assert np.isnan(share_of_the_way(half, chance).rank)


def test_too_little_says_so():
    with pytest.raises(MusicComposerError, match="at least two"):
        energy_distance(np.zeros((1, 3)), np.zeros((5, 3)))
    with pytest.raises(MusicComposerError, match="as many"):
        adherence_of(np.zeros((2, 3)))
    with pytest.raises(MusicComposerError, match="No true parts"):
        whitening_of([], OPTIONS)


def test_the_tunes_are_at_the_rate_that_is_measured():
    assert OPTIONS.rate == RATE
