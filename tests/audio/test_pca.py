"""Principal components: properties of the latents, and exact reconstruction of what is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from music_composer.audio import pca as station
from music_composer.audio.pca import (
    covariance_of,
    decode,
    encode,
    fit_encoding,
    merge,
    moments_of,
    principal_components,
)
from music_composer.audio.spectrogram import to_steps


def correlated(count=2000, size=6, rank=6, seed=0):
    """Returns rows around a distant mean, with directions of very different variance."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(rank, size)) * np.geomspace(3, 0.3, rank)[:, None]
    return (rng.normal(size=(count, rank)) @ mixing - 5).astype(np.float32)


def fitted(steps, components):
    return principal_components(*covariance_of(moments_of(steps)), components)


def test_all_components_reconstruct_exactly():
    steps = correlated()
    encoding = fitted(steps, 6)
    assert np.allclose(decode(encode(steps, encoding), encoding), steps, atol=1e-4)
    assert encoding.kept == pytest.approx(1)


def test_latents_are_uncorrelated_and_as_wide_as_is_said():
    encoding = fitted(correlated(), 4)
    latents = encode(correlated(), encoding)
    assert np.allclose(latents.mean(axis=0), 0, atol=1e-3)
    assert np.allclose(np.cov(latents.T), np.diag(encoding.deviations**2), atol=1e-2)


@pytest.mark.parametrize("whitening_exponent", [0, 0.5, 1])
def test_latents_keep_a_power_of_what_their_components_vary_by(whitening_exponent):
    steps = correlated()
    encoding = principal_components(*covariance_of(moments_of(steps)), 6, whitening_exponent)
    varies = np.sqrt(np.sort(np.linalg.eigvalsh(np.cov(steps.T)))[::-1])
    assert np.allclose(
        encoding.deviations / encoding.deviations[0], (varies / varies[0]) ** whitening_exponent, rtol=1e-2
    )
    assert np.allclose(np.std(encode(steps, encoding), axis=0), encoding.deviations, rtol=1e-2)
    assert np.mean(encoding.deviations**2) == pytest.approx(1, rel=1e-5)


def test_latents_that_are_decoded_come_back():
    encoding = fitted(correlated(), 3)
    latents = np.random.default_rng(1).normal(size=(2, 10, 3)).astype(np.float32)
    assert np.allclose(encode(decode(latents, encoding), encoding), latents, atol=1e-4)


def test_a_subspace_is_found_and_decoding_stays_in_it():
    steps = correlated(rank=2)
    encoding = fitted(steps, 2)
    assert np.allclose(decode(encode(steps, encoding), encoding), steps, atol=1e-3)
    assert encoding.kept == pytest.approx(1, abs=1e-4)


def test_kept_is_the_share_of_the_variance_that_comes_back():
    steps = correlated()
    encoding = fitted(steps, 2)
    lost = np.var(steps - decode(encode(steps, encoding), encoding), axis=0).sum()
    assert 0.5 < encoding.kept < 0.99
    assert 1 - encoding.kept == pytest.approx(lost / np.var(steps, axis=0).sum(), abs=1e-3)


def test_no_other_directions_keep_more():
    steps = correlated()
    centred = steps - steps.mean(axis=0)
    other = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 2)))[0]
    assert fitted(steps, 2).kept > np.var(centred @ other, axis=0).sum() / np.var(centred, axis=0).sum()


@given(cut=st.integers(1, 99), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=15)
def test_the_sums_of_the_parts_are_the_sums_of_the_whole(cut, seed):
    steps = correlated(100, seed=seed)
    whole, merged = moments_of(steps), merge([moments_of(steps[:cut]), moments_of(steps[cut:])])
    assert merged.count == whole.count == 100
    # Sums that cancel out are as exact as their terms, not as themselves.
    for one, other in ((merged.total, whole.total), (merged.products, whole.products)):
        assert np.allclose(one, other, rtol=1e-5, atol=1e-6 * np.abs(other).max())


def test_merging_leaves_the_parts_as_they_were():
    part = moments_of(correlated(10))
    before = part.total.copy()
    merge([part, part])
    assert np.array_equal(part.total, before)


@given(value=st.floats(-20, 20, width=16))
@settings(deadline=None, max_examples=20)
def test_constant_data_does_not_blow_up(value):
    steps = np.full((50, 6), value, np.float32)
    encoding = fitted(steps, 4)
    latents = encode(steps, encoding)
    assert np.abs(latents).max() < 1
    assert np.allclose(decode(latents, encoding), steps, atol=1e-3)


def test_a_direction_without_variance_stays_small():
    steps = correlated(rank=2)
    encoding = fitted(steps, 5)
    spread = np.std(encode(steps, encoding), axis=0)
    assert spread[2:].max() < 0.1
    assert np.allclose(spread[:2], encoding.deviations[:2], rtol=0.01)


def test_the_same_data_always_gives_the_same_signs():
    directions = fitted(correlated(), 6).backward
    assert (directions[np.arange(6), np.abs(directions).argmax(axis=1)] > 0).all()


def songs(*lengths):
    """(frames, channels, bands), float16, as a cache gives them."""
    return [correlated(length, seed=length).reshape(length, 2, 3).astype(np.float16) for length in lengths]


def test_songs_are_fitted_block_by_block_as_if_at_once(monkeypatch):
    music = songs(100, 3, 1, 47, 0)
    whole = fitted(np.concatenate([to_steps(song, 2) for song in music]), 12)
    monkeypatch.setattr(station, "BLOCK_STEPS", 7)
    blockwise = fit_encoding(music, 2, 12)
    assert np.allclose(blockwise.mean, whole.mean, atol=1e-4)
    assert np.allclose(blockwise.forward, whole.forward, atol=1e-2)
    assert np.allclose(blockwise.backward, whole.backward, atol=1e-2)


def test_much_music_is_sampled_from_all_of_it(monkeypatch):
    monkeypatch.setattr(station, "BLOCK_STEPS", 10)
    monkeypatch.setattr(station, "ENOUGH_STEPS", 100)
    seen = []
    monkeypatch.setattr(station, "moments_of", lambda steps: seen.append(steps[0, 0]) or moments_of(steps))
    ramp = np.arange(1000, dtype=np.float32)[:, None, None] * np.ones((1, 1, 2), np.float32)
    fit_encoding([ramp], 1, 2)
    assert seen == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]


def test_the_ranges_leave_out_the_outliers_alone():
    rng = np.random.default_rng(0)
    frames = rng.normal(-5, 1, (6000, 1, 4)).astype(np.float32)
    encoding = fit_encoding([frames[:2000], frames[2000:]], 2, 8)
    latents = encode(to_steps(frames, 2), encoding)
    np.testing.assert_allclose((latents < encoding.low).mean(axis=0), 0.01, atol=0.002)
    np.testing.assert_allclose((latents > encoding.high).mean(axis=0), 0.01, atol=0.002)
    louder = decode(latents, encoding) > encoding.ceiling
    np.testing.assert_allclose(louder.mean(axis=0), 0.005, atol=0.001)
