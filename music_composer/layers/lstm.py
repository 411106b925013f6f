"""LSTM layers that equal the stock Keras layer, with faster implementations on TensorFlow's CPU device."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="music_composer")
class HoistedLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM` with a fast path for training and inference on TensorFlow's CPU device.

    Weights, their names, the configuration and the results are those of `keras.layers.LSTM`; `get_weights` of
    one fits `set_weights` of the other. Weights files are exchangeable but for the class name, by which Keras
    finds a layer in them.

    Where the fast path does not apply (another backend, a GPU, a mask, an activation other than the defaults,
    ...) the stock implementation runs, cuDNN included.

    The fast path has a gradient of first order only.

    Input shape: `(batch, time, features)`.
    Output shape: `(batch, time, units)` with `return_sequences`, else `(batch, units)`; with `return_state`
    followed by the last `h` and `c`, each `(batch, units)`.
    """

    def inner_loop(self, sequences: Any, initial_state: list, mask: Any, training: bool = False) -> tuple:
        """Run over the whole sequence; returns `(last_output, outputs, [h, c])` as the stock layer does.

        Input shape: `sequences` `(batch, time, features)`, each initial state `(batch, units)`.
        """
        if mask is not None or not self._fast_path_applies():
            return super().inner_loop(sequences, initial_state, mask, training=training)
        # Imported here: the other backends must work without TensorFlow.
        import tensorflow as tf

        from music_composer.layers.lstm_float32 import hoisted_lstm

        if training and self.dropout:
            # One mask for all time steps, as in the stock layer.
            sequences = sequences * ops.expand_dims(self.cell.get_dropout_mask(sequences[:, 0, :]), 1)
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        # A function with a custom gradient takes tensors; it must not read variables.
        weights = tuple(tf.convert_to_tensor(weight) for weight in weights)
        # Time-major: a time step is a contiguous block.
        outputs, h, c = hoisted_lstm(ops.transpose(sequences, (1, 0, 2)), *initial_state, *weights)
        if self.return_sequences:
            outputs = ops.transpose(outputs, (1, 0, 2))
            outputs.set_shape((*sequences.shape[:2], self.units))  # the loop forgets the static length
        else:
            outputs = ops.expand_dims(h, 1)
        return h, outputs, [h, c]

    def _fast_path_applies(self) -> bool:
        return (
            keras.backend.backend() == "tensorflow"
            and self.compute_dtype == "float32"
            and self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not self.recurrent_dropout
            and not self.go_backwards
            and not self.unroll
            # An explicit request for cuDNN is left to the stock layer, which raises an error without a GPU.
            and self.use_cudnn is not True
            and self.cell.implementation == 2
            and not _gpu_visible()
        )


def lstm_along(layer: keras.layers.LSTM, x: Any, state: Sequence[Any], training: bool = False) -> Any:
    """Runs a built stock layer with `return_sequences` and default activations over many time-major rows.

    In training on TensorFlow, on a CPU with a matrix unit for bfloat16, it is twice as fast as the layer; the output is
    bfloat16 then, with errors of about 1 %. Otherwise the output is that of the layer.

    Input shape: `x` `(time, batch, features)`; `state`, h and c, `(batch, units)` each.
    Output shape: `(time, batch, units)`.
    """
    if training and bfloat16_is_fast():
        # Imported here: the other backends must work without TensorFlow.
        import tensorflow as tf

        from music_composer.layers.lstm_bfloat16 import bfloat16_lstm

        weights = (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)
        weights = tuple(tf.convert_to_tensor(weight) for weight in weights)
        return bfloat16_lstm(tf.cast(x, tf.bfloat16), *state, *weights)
    return ops.swapaxes(layer(ops.swapaxes(x, 0, 1), initial_state=list(state), training=training), 0, 1)


def lstm_step(layer: keras.layers.LSTM, x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """Advances a built LSTM layer by one time step, as in inference; returns the new `(h, c)`.

    The output of the layer at this step is the new `h`. Works on every backend, eagerly or traced.

    Input shape: `x` `(batch, features)`; `h` and `c` `(batch, units)`.
    Output shape: two tensors `(batch, units)`.
    """
    # `cell.call`, not `cell(...)`: the layer call around it costs as much as the step's arithmetic in small layers.
    _, (h, c) = layer.cell.call(x, [h, c], training=False)
    return h, c


def stack_step(
    layers: Sequence[keras.layers.LSTM], x: Any, state: Sequence[Any], residual: bool = True
) -> tuple[Any, list[Any]]:
    """Advances a stack of built LSTM layers by one time step; returns its output and the new state.

    state: h and c of each layer in turn, `(batch, units)` each. residual: whether layers after the first add their
    output to their input.
    """
    after: list[Any] = []
    for i, layer in enumerate(layers):
        h, c = lstm_step(layer, x, state[2 * i], state[2 * i + 1])
        after += [h, c]
        # The first layer changes the width, so it has no residual.
        x = x + h if residual and i else h
    return x, after


def silent_state(layers: Sequence[keras.layers.LSTM], batch: int) -> list[np.ndarray]:
    """The initial state of a stack: h and c of each layer in turn, zeros `(batch, units)`."""
    return [np.zeros((batch, layer.units), np.float32) for layer in layers for _ in range(2)]


@functools.cache
def bfloat16_is_fast() -> bool:
    """Whether TensorFlow runs on a CPU with a matrix unit for bfloat16 (Intel's AMX), as Linux reports it.

    The kernels are oneDNN's: with TF_ENABLE_ONEDNN_OPTS=0 in the environment everything runs in float32.
    """
    if keras.backend.backend() != "tensorflow" or _gpu_visible() or os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        return False
    return has_matrix_unit(Path("/proc/cpuinfo"))


def has_matrix_unit(cpuinfo: Path) -> bool:
    """Whether the flags in a file like Linux' /proc/cpuinfo name a matrix unit for bfloat16; False without a file."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and "amx_bf16" in line.split() for line in lines)


def _gpu_visible() -> bool:
    import tensorflow as tf

    return bool(tf.config.get_visible_devices("GPU"))
