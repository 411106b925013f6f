"""The fast LSTM layer against the stock Keras one, on any backend and any machine."""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from music_composer.layers import lstm as lstm_module
from music_composer.layers.lstm import HoistedLSTM, lstm_step

pytestmark = pytest.mark.journey

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fast path exists on TensorFlow only"
)

# (batch, time, features, units)
SHAPES = [(3, 7, 5, 4), (1, 1, 1, 1), (1, 6, 2, 3), (4, 1, 3, 8), (2, 40, 16, 8)]


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """Test the fast path on machines with a GPU too."""
    context = contextlib.nullcontext()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        monkeypatch.setattr(lstm_module, "_gpu_visible", lambda: False)
        context = tf.device("CPU:0")
    with context:
        yield


@pytest.fixture
def fast_path_calls(monkeypatch):
    """A list that grows by one with each run of the fast path."""
    from music_composer.layers import lstm_float32

    calls = []
    original = lstm_float32.hoisted_lstm

    def counting(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(lstm_float32, "hoisted_lstm", counting)
    return calls


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def layer_pair(features, units, **options):
    """Our layer and the stock one with the same random weights and biases."""
    pair = [kind(units, **options) for kind in (HoistedLSTM, keras.layers.LSTM)]
    for layer in pair:
        layer.build((None, None, features))
        layer.set_weights([random(*w.shape, seed=i) * 0.5 for i, w in enumerate(layer.weights)])
    return pair


def as_arrays(results):
    return [ops.convert_to_numpy(result) for result in keras.tree.flatten(results)]


def assert_close(ours, theirs, tolerance):
    """Equal in number and shapes, and within `tolerance` relative to each array's maximum."""
    ours, theirs = ([np.asarray(x, np.float32) for x in as_arrays(each)] for each in (ours, theirs))
    assert [x.shape for x in ours] == [x.shape for x in theirs]
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * max(np.abs(y).max(), 1e-3))


def gradients(layer, x, states):
    """Gradients of a scalar of all the outputs, in inputs, initial states and weights."""
    import tensorflow as tf

    x, states = tf.constant(x), [tf.constant(s) for s in states]
    weights = [w.value for w in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch([x, *states])
        results = layer(x, initial_state=states)
        # Different weights everywhere, so that no two positions can be confused.
        loss = sum(tf.reduce_sum(r * random(*r.shape, seed=i)) for i, r in enumerate(keras.tree.flatten(results)))
    return tape.gradient(loss, [x, *states, *weights])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("return_sequences", [True, False])
def test_output_and_states_equal_the_stock_layer(shape, return_sequences):
    batch, time, features, units = shape
    ours, stock = layer_pair(features, units, return_sequences=return_sequences, return_state=True)
    x, states = random(batch, time, features), [random(batch, units, seed=s) for s in (1, 2)]
    assert_close(ours(x), stock(x), 1e-5)
    assert_close(ours(x, initial_state=states), stock(x, initial_state=states), 1e-5)


@needs_tensorflow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("return_state", [True, False])
def test_gradients_equal_the_stock_layer(shape, return_sequences, return_state, fast_path_calls):
    batch, time, features, units = shape
    ours, stock = layer_pair(features, units, return_sequences=return_sequences, return_state=return_state)
    x, states = random(batch, time, features), [random(batch, units, seed=s) for s in (1, 2)]
    assert_close(gradients(ours, x, states), gradients(stock, x, states), 1e-4)
    assert len(fast_path_calls) == 1


@needs_tensorflow
def test_batch_and_time_may_be_unknown_when_traced(fast_path_calls):
    import tensorflow as tf

    ours, stock = layer_pair(5, 4, return_sequences=True)
    states = [tf.TensorSpec((None, 4)), tf.TensorSpec((None, 4))]
    traced = tf.function(
        lambda x, s: gradients_of_sum(ours, x, s), input_signature=[tf.TensorSpec((None, None, 5)), states]
    )
    for batch, time in [(2, 3), (5, 1), (1, 9)]:
        x, start = random(batch, time, 5), [random(batch, 4, seed=s) for s in (1, 2)]
        assert_close(traced(x, start), gradients_of_sum(stock, tf.constant(x), start), 1e-4)
    assert len(fast_path_calls) == 1


def gradients_of_sum(layer, x, states):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x, initial_state=states) ** 2)
    return tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])


@pytest.mark.parametrize("length", [None, 6])
def test_training_a_stack_equals_training_the_stock_stack(length):
    x, y = random(4, 6, 3), random(4, 2, seed=1)
    losses, weights = [], []
    for kind in (HoistedLSTM, keras.layers.LSTM):
        keras.utils.set_random_seed(1)
        layers = [kind(8, return_sequences=True), kind(8), keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input((length, 3)), *layers])
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
        losses.append([model.train_on_batch(x, y) for _ in range(5)])
        weights.append(model.get_weights())
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert losses[0][-1] < losses[0][0]
    assert_close(weights[0], weights[1], 1e-4)


@needs_tensorflow
def test_xla_compiles_the_fast_path(fast_path_calls):
    import tensorflow as tf

    ours, stock = layer_pair(5, 4, return_sequences=True)
    x, states = tf.constant(random(3, 7, 5)), [tf.constant(random(3, 4, seed=s)) for s in (1, 2)]
    compiled = tf.function(gradients_of_sum, jit_compile=True)
    assert_close(compiled(ours, x, states), gradients_of_sum(stock, x, states), 1e-4)
    assert len(fast_path_calls) == 1


def test_shapes_are_known_when_building_a_model():
    inputs = keras.Input((6, 3), batch_size=2)
    outputs, h, c = HoistedLSTM(5, return_sequences=True, return_state=True)(inputs)
    assert (outputs.shape, h.shape, c.shape) == ((2, 6, 5), (2, 5), (2, 5))


@needs_tensorflow
@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize("time", [None, 6])
def test_static_shapes_stay_known_when_traced(batch, time):
    import tensorflow as tf

    shapes = []
    for layer in layer_pair(3, 4, return_sequences=True):
        traced = tf.function(layer).get_concrete_function(tf.TensorSpec((batch, time, 3)))
        shapes.append(traced.structured_outputs.shape.as_list())
    assert shapes[0] == shapes[1] == [batch, time, 4]


def test_stateful_layers_carry_their_state():
    ours, _ = layer_pair(3, 4, return_sequences=True, stateful=False)
    carrying = HoistedLSTM(4, return_sequences=True, stateful=True)
    carrying.build((2, 5, 3))
    carrying.set_weights(ours.get_weights())
    x = random(2, 10, 3)
    halves = [ops.convert_to_numpy(carrying(half)) for half in (x[:, :5], x[:, 5:])]
    assert_close(np.concatenate(halves, axis=1), ours(x), 1e-5)


def test_step_by_step_equals_the_whole_sequence():
    ours, _ = layer_pair(5, 4, return_sequences=True, return_state=True)
    x = random(3, 12, 5)
    h, c = (ops.zeros((3, 4)) for _ in range(2))
    steps = []
    for t in range(x.shape[1]):
        h, c = lstm_step(ours, x[:, t], h, c)
        steps.append(ops.convert_to_numpy(h))
    assert_close([np.stack(steps, axis=1), h, c], ours(x), 1e-5)


def test_step_leaves_dropout_to_training():
    plain, _ = layer_pair(5, 4)
    dropping, _ = layer_pair(5, 4, dropout=0.5, recurrent_dropout=0.5)
    x, h, c = (ops.convert_to_tensor(random(3, width)) for width in (5, 4, 4))
    assert_close(lstm_step(dropping, x, h, c), lstm_step(plain, x, h, c), 1e-6)


def test_config_round_trip():
    layer = HoistedLSTM(6, return_sequences=True, return_state=True, dropout=0.25, bias_initializer="ones", name="a")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is HoistedLSTM
    assert copy.get_config() == layer.get_config() == keras.layers.LSTM(**layer.get_config()).get_config()


def test_saved_model_loads_as_our_layer(tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), HoistedLSTM(4)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is HoistedLSTM
    x = random(2, 5, 3)
    assert_close(loaded(x), model(x), 1e-6)


# Keras' weights files name a layer by its class, so a stock file loads only into a class of the stock name.
SAME_NAME = type("LSTM", (HoistedLSTM,), {})


@pytest.mark.parametrize(("source", "target"), [(SAME_NAME, keras.layers.LSTM), (keras.layers.LSTM, SAME_NAME)])
def test_weights_files_differ_from_the_stock_layer_in_the_class_name_only(source, target, tmp_path):
    models = [keras.Sequential([keras.Input((None, 3)), kind(4)]) for kind in (source, target)]
    x = random(2, 5, 3)
    assert not np.allclose(*as_arrays([model(x) for model in models]), atol=1e-3)
    models[0].save_weights(tmp_path / "one.weights.h5")
    models[1].load_weights(tmp_path / "one.weights.h5")
    assert_close(models[1](x), models[0](x), 1e-5)


def test_weights_are_named_like_the_stock_layer():
    ours, stock = (kind(4, name="lstm") for kind in (HoistedLSTM, keras.layers.LSTM))
    for layer in (ours, stock):
        layer.build((None, None, 3))
    assert [w.path for w in ours.weights] == [w.path for w in stock.weights]


FALL_BACKS = {
    "activation": {"activation": "relu"},
    "recurrent activation": {"recurrent_activation": "hard_sigmoid"},
    "no bias": {"use_bias": False},
    "recurrent dropout": {"recurrent_dropout": 0.5, "seed": 1},
    "backwards": {"go_backwards": True},
    "unrolled": {"unroll": True},
    "half precision": {"dtype": "mixed_bfloat16"},
    "separate gates": {"implementation": 1},
}


@needs_tensorflow
@pytest.mark.parametrize("options", FALL_BACKS.values(), ids=FALL_BACKS)
def test_other_configurations_fall_back_to_the_stock_layer(options, fast_path_calls):
    ours, stock = layer_pair(5, 4, return_sequences=True, **options)
    x = random(3, 7, 5)
    assert_close(ours(x, training=True), stock(x, training=True), 1e-6)
    assert fast_path_calls == []


@needs_tensorflow
def test_masks_fall_back_to_the_stock_layer(fast_path_calls):
    ours, stock = layer_pair(5, 4)
    x, mask = random(2, 7, 5), np.array([[True] * 7, [True] * 3 + [False] * 4])
    assert_close(ours(x, mask=mask), stock(x, mask=mask), 1e-6)
    assert fast_path_calls == []


@needs_tensorflow
def test_a_visible_gpu_falls_back_to_the_stock_layer(fast_path_calls, monkeypatch):
    monkeypatch.setattr(lstm_module, "_gpu_visible", lambda: True)
    ours, stock = layer_pair(5, 4, use_cudnn=False)
    x = random(3, 7, 5)
    assert_close(ours(x), stock(x), 1e-6)
    assert fast_path_calls == []


@needs_tensorflow
def test_asking_for_cudnn_on_a_cpu_is_an_error_as_in_the_stock_layer():
    for layer in layer_pair(5, 4, use_cudnn=True):
        with pytest.raises(ValueError, match="use_cudnn=True"):
            layer(random(3, 7, 5))


@pytest.mark.parametrize("training", [True, False])
def test_dropout_of_the_inputs_equals_the_stock_layer(training):
    ours, stock = layer_pair(20, 4, dropout=0.5, seed=3)
    x = random(3, 7, 20)
    assert_close(ours(x, training=training), stock(x, training=training), 1e-5)
    dropped = not np.allclose(*as_arrays([ours(x, training=training), ours(x)]), atol=1e-3)
    assert dropped == training
