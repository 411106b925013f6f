"""The layer for many rows against the stock Keras one, on any machine, whether it is fast there or not."""

import keras
import numpy as np
import pytest
from keras import ops

from music_composer.layers import lstm
from music_composer.layers.lstm import lstm_along

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it exists on TensorFlow only"),
]

# (time, batch, features, units)
SHAPES = [(7, 30, 5, 4), (1, 1, 1, 1), (6, 1, 2, 3), (1, 4, 3, 8), (40, 20, 16, 8)]


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def built(features, units):
    layer = keras.layers.LSTM(units, return_sequences=True)
    layer.build((None, None, features))
    layer.set_weights([random(*w.shape, seed=i) * 0.5 for i, w in enumerate(layer.weights)])
    return layer


@pytest.fixture(params=[True, False], ids=["fast", "not fast"])
def fast(request, monkeypatch):
    monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda: request.param)
    return request.param


def stock(layer, x, state, training=False):
    return ops.swapaxes(layer(ops.swapaxes(x, 0, 1), initial_state=state, training=training), 0, 1)


def gradients(along, layer, x, state):
    """Outputs, and the gradients of a sum of them, no two with the same weight, in input, states and weights."""
    import tensorflow as tf

    x, state = tf.constant(x), [tf.constant(each) for each in state]
    weights = [w.value for w in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch([x, *state])
        y = tf.cast(along(layer, x, state, training=True), tf.float32)
        loss = tf.reduce_sum(y * random(*y.shape, seed=9))
    return [np.asarray(each) for each in (y, *tape.gradient(loss, [x, *state, *weights]))]


def assert_near(ours, theirs, tolerance):
    assert [each.shape for each in ours] == [each.shape for each in theirs]
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * np.abs(y).max())


@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_gradients_are_those_of_the_stock_layer(shape, fast):
    time, batch, features, units = shape
    layer, x = built(features, units), random(time, batch, features)
    state = [random(batch, units, seed=seed) for seed in (1, 2)]
    assert_near(gradients(lstm_along, layer, x, state), gradients(stock, layer, x, state), 0.03 if fast else 1e-6)


def test_inference_is_exact(fast):
    layer, x = built(5, 4), random(7, 30, 5)
    state = [random(30, 4, seed=seed) for seed in (1, 2)]
    assert_near([np.asarray(lstm_along(layer, x, state))], [np.asarray(stock(layer, x, state))], 1e-6)


def test_training_is_in_bfloat16_where_that_is_fast(fast):
    layer, state = built(5, 4), [random(3, 4, seed=seed) for seed in (1, 2)]
    y = lstm_along(layer, random(7, 3, 5), state, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == ("bfloat16" if fast else "float32")


def test_time_and_batch_may_be_unknown_when_traced(fast):
    import tensorflow as tf

    layer = built(5, 4)
    shapes = [tf.TensorSpec((None, None, 5)), tf.TensorSpec((None, 4)), tf.TensorSpec((None, 4))]

    @tf.function(input_signature=shapes)
    def traced(x, h, c):
        with tf.GradientTape() as tape:
            y = tf.cast(lstm_along(layer, x, [h, c], training=True), tf.float32)
        assert y.shape.as_list() == [None, None, 4]
        return y, *tape.gradient(y, [w.value for w in layer.trainable_weights])

    def eagerly(x, h, c):
        with tf.GradientTape() as tape:
            y = stock(layer, tf.constant(x), [tf.constant(h), tf.constant(c)])
        return y, *tape.gradient(y, [w.value for w in layer.trainable_weights])

    for time, batch in [(3, 2), (1, 5), (9, 1)]:
        x, state = random(time, batch, 5), [random(batch, 4, seed=seed) for seed in (1, 2)]
        ours, theirs = ([np.asarray(each) for each in run(x, *state)] for run in (traced, eagerly))
        assert_near(ours, theirs, 0.03 if fast else 1e-5)


def test_detection_of_a_matrix_unit(tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    for flags, has in (("fpu amx_bf16 amx_tile", True), ("fpu avx512_bf16", False), ("", False)):
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        assert lstm.has_matrix_unit(cpuinfo) == has
    assert not lstm.has_matrix_unit(tmp_path / "none")
    monkeypatch.setattr(lstm, "_gpu_visible", lambda: False)
    for unit, switch, fast in ((True, "1", True), (False, "1", False), (True, "0", False)):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", switch)
        monkeypatch.setattr(lstm, "has_matrix_unit", lambda _, unit=unit: unit)
        assert lstm.bfloat16_is_fast.__wrapped__() == fast


def test_results_are_deterministic(monkeypatch):
    monkeypatch.setattr(lstm, "bfloat16_is_fast", lambda: True)
    layer, x = built(16, 8), random(40, 200, 16)
    state = [random(200, 8, seed=seed) for seed in (1, 2)]
    once, again = (gradients(lstm_along, layer, x, state) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
