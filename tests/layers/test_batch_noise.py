"""Rows of a batch are given the same random numbers, whichever of them are here."""

import keras
import numpy as np
import pytest

from music_composer.layers.batch_noise import BatchNoise
from music_composer.values import Rows

pytestmark = pytest.mark.journey
RATE = 0.4


def drawn(rows):
    noise = BatchNoise(keras.random.SeedGenerator(3), rows)
    here = slice(rows.start, rows.stop) if rows else slice(None)
    x = np.arange(1.0, 21.0, dtype=np.float32).reshape(5, 4)[here]
    draws = (
        noise.normal((len(x), 3, 2)),
        noise.uniform((len(x), 1)),
        keras.ops.swapaxes(noise.normal((6, len(x), 2), axis=1), 0, 1),
        noise.dropout(x, RATE),
    )
    return [keras.ops.convert_to_numpy(each) for each in draws]


def test_each_row_draws_what_it_draws_in_the_whole_batch():
    whole, first, second = drawn(None), drawn(Rows(0, 2, 5)), drawn(Rows(2, 5, 5))
    for all_of_it, one, other in zip(whole, first, second, strict=True):
        np.testing.assert_array_equal(np.concatenate([one, other]), all_of_it)
    kept = whole[3] != 0
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(whole[3][kept], np.arange(1.0, 21.0).reshape(5, 4)[kept] / (1 - RATE), rtol=1e-6)
