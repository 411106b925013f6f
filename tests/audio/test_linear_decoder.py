"""Linear window decoder: it uses what the neighbours predict, and measures what nothing predicts."""

import numpy as np
import pytest

from music_composer.audio import pca as station
from music_composer.audio.linear_decoder import extended, fit_decoder, merge_sums, ridge, window_sums, windows_of
from music_composer.audio.pca import decode, encode, fit_encoding
from music_composer.audio.spectrogram import to_steps

COMPONENTS, QUIET = 2, 0.3


def music(steps=4000, seed=0):
    """Two loud bands, which fill the components, and two quiet ones: one says what a loud one was a step ago, one is
    noise. (frames, channels, bands), one frame a step."""
    rng = np.random.default_rng(seed)
    loud = rng.normal(size=(steps + 1, 2))
    echo = QUIET * loud[:-1, :1]
    return np.concatenate([3 * loud[1:], echo, QUIET * rng.normal(size=(steps, 1))], axis=1)[:, None].astype(np.float32)


def fitted(songs, reach):
    encoding = fit_encoding(songs, 1, COMPONENTS)
    return encoding, fit_decoder(songs, 1, encoding, reach)


def test_what_neighbours_tell_comes_back():
    encoding, decoder = fitted([music()], 1)
    steps = to_steps(music(seed=1), 1)
    latents = encode(steps, encoding)
    alone = decode(latents, encoding)
    decoded = windows_of(extended(latents, 1), 1) @ decoder.kernel + decoder.bias
    lost, still = (np.square(steps - each)[1:].mean(axis=0) for each in (alone, decoded))
    assert lost[2] == pytest.approx(QUIET**2, rel=0.1)
    assert still[2] < 0.01 * lost[2], "told by the step before"
    assert still[3] == pytest.approx(lost[3], rel=0.02), "told by nothing"


def test_deviations_are_of_what_is_still_missing():
    songs = [music()]
    encoding, decoder = fitted(songs, 1)
    steps = to_steps(songs[0], 1)
    decoded = windows_of(extended(encode(steps, encoding), 1), 1) @ decoder.kernel + decoder.bias
    np.testing.assert_allclose(
        decoder.deviations, np.sqrt(np.square(steps - decoded).mean(axis=0)), rtol=1e-2, atol=1e-3
    )


def test_songs_are_fitted_block_by_block_as_if_at_once(monkeypatch):
    songs = [music(3000), music(2000, seed=1)]
    encoding, whole = fitted(songs, 2)
    monkeypatch.setattr(station, "BLOCK_STEPS", 700)
    parts = fit_decoder(songs, 1, encoding, 2)
    np.testing.assert_allclose(parts.kernel, whole.kernel, atol=0.02)  # each block has ends of its own
    np.testing.assert_allclose(parts.deviations, whole.deviations, atol=0.02)


def test_sums_of_parts_add_up():
    encoding = fit_encoding([music()], 1, COMPONENTS)
    steps = to_steps(music(), 1)
    merged = merge_sums(window_sums(part, encoding, 0) for part in (steps[:1000], steps[1000:1001], steps[1001:]))
    whole = window_sums(steps, encoding, 0)
    assert merged.count == whole.count == len(steps)
    for one, other in ((merged.products, whole.products), (merged.cross, whole.cross), (merged.squares, whole.squares)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=0.05)


def test_without_neighbours_it_is_the_components_own_decoder():
    encoding = fit_encoding([music()], 1, COMPONENTS)
    decoder = ridge(window_sums(to_steps(music(), 1), encoding, 0), encoding)
    np.testing.assert_allclose(decoder.kernel, encoding.backward, atol=1e-3)
    np.testing.assert_array_equal(decoder.bias, encoding.mean)


@pytest.mark.parametrize("value", [0, -9.2])
def test_music_that_stands_still_does_not_blow_up(value):
    encoding, decoder = fitted([np.full((50, 2, 3), value, np.float32)], 2)
    assert np.abs(decoder.kernel).max() < 10
    assert decoder.deviations.max() < 1e-2


def test_windows_begin_with_the_earliest():
    latents = np.arange(6, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(windows_of(latents, 1), [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]])
    np.testing.assert_array_equal(extended(latents[:2], 2)[:, 0], [0, 0, 0, 1, 1, 1])
