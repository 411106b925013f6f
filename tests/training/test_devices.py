"""What is switched for playing is switched back, so that a training is computed as it always is."""

from __future__ import annotations

import threading

import pytest

pytestmark = pytest.mark.journey


def test_playing_fast_ends_with_its_last_block() -> None:
    from music_composer.training import devices

    devices.load_keras()
    from tensorflow.config import optimizer

    def remapping() -> object:
        return optimizer.get_experimental_options().get("remapping")

    before = remapping()
    inside, leave = threading.Event(), threading.Event()

    def play() -> None:
        with devices.playing_fast():
            inside.set()
            leave.wait()

    other = threading.Thread(target=play)
    with devices.playing_fast():
        assert remapping() is False
        other.start()
        inside.wait()
    assert remapping() is False, "the other thread still plays"
    leave.set()
    other.join()
    assert remapping() is None
    assert not before
    with pytest.raises(ValueError), devices.playing_fast():
        raise ValueError
    assert remapping() is None


def test_a_seed_for_weights_leaves_the_generators_of_others_alone() -> None:
    import random

    import numpy as np

    from music_composer.training import devices

    keras = devices.load_keras()

    def weights() -> np.ndarray:
        with devices.seeded(5):
            layer = keras.layers.Dense(3)
            layer.build((None, 2))
            return np.asarray(layer.get_weights()[0])

    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    one = weights()
    assert (random.random(), np.random.random()) == expected
    np.testing.assert_array_equal(one, weights())
