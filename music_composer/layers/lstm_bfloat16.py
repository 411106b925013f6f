"""The LSTM recurrence for TensorFlow on a CPU with a matrix unit for bfloat16, for many rows at once.

Such a unit multiplies bfloat16 about four times as fast as float32, and a layer of a thousand rows waits for memory.
XLA therefore fuses everything between the products into one pass. The input is projected in the same product as the
hidden state, and weight gradients are summed step by step, so that only `z_t`, which the backward pass needs, has the
length of the sequence and the width of the gates. (With ten rows the opposite is faster: see `lstm_float32.py`,
whose equations these are.) Operands of products and values kept for the backward pass are bfloat16; gates, cells and
sums of gradients are float32.
"""

from typing import Any

import tensorflow as tf

LOW = tf.bfloat16


@tf.custom_gradient
def bfloat16_lstm(
    inputs: tf.Tensor,
    h0: tf.Tensor,
    c0: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
) -> Any:
    """Runs an LSTM with tanh and sigmoid over time-major sequences; differentiable once in every argument.

    Input shape: `inputs` `(time, batch, features)`, bfloat16; the others float32: `h0` and `c0` `(batch, units)`,
    `kernel` `(features, 4 units)`, `recurrent_kernel` `(units, 4 units)`, `bias` `(4 units,)`.
    Output shape: `(time, batch, units)`, bfloat16.
    """
    time, features = tf.shape(inputs)[0], inputs.shape[2]
    both_kernels = tf.cast(tf.concat([kernel, recurrent_kernel], axis=0), LOW)

    def forward(t: Any, h: Any, c: Any, hs: Any, zs: Any, cs: Any, xhs: Any) -> tuple:
        # One product for input and recurrence.
        xh = tf.concat([inputs[t], h], axis=1)
        z = tf.matmul(xh, both_kernels)
        after_h, after_c = _gates(z, bias, c)
        return t + 1, after_h, after_c, hs.write(t, after_h), zs.write(t, z), cs.write(t, c), xhs.write(t, xh)

    # h, z, c and the operands of the product, for the backward pass.
    kept = [tf.TensorArray(dtype, time) for dtype in (LOW, LOW, tf.float32, LOW)]
    start = (0, tf.cast(h0, LOW), c0, *kept)
    _, _, last_c, hs, zs, cs, xhs = tf.while_loop(lambda t, *_: t < time, forward, start, maximum_iterations=time)

    def gradient(d_outputs: tf.Tensor) -> tuple:
        transposed = tf.transpose(both_kernels)
        # The bias gradient is a sum over rows: a product with ones uses the matrix unit.
        ones = tf.ones((1, tf.shape(h0)[0]), LOW)

        def backward(t: Any, d_h: Any, d_c: Any, c: Any, dxs: Any, d_kernels: Any, d_bias: Any) -> tuple:
            before = cs.read(t)
            dz, d_c = _slopes(zs.read(t), bias, c, before, d_outputs[t], d_h, d_c)
            d_xh = tf.matmul(dz, transposed)
            d_kernels += tf.cast(tf.matmul(xhs.read(t), dz, transpose_a=True), tf.float32)
            d_bias += tf.cast(tf.matmul(ones, dz)[0], tf.float32)
            return t - 1, d_xh[:, features:], d_c, before, dxs.write(t, d_xh[:, :features]), d_kernels, d_bias

        start = (
            time - 1,
            tf.zeros_like(h0, LOW),
            tf.zeros_like(c0),
            last_c,
            tf.TensorArray(LOW, time),
            tf.zeros(both_kernels.shape),
            tf.zeros_like(bias),
        )
        _, d_h, d_c, _, dxs, d_kernels, d_bias = tf.while_loop(
            lambda t, *_: t >= 0, backward, start, maximum_iterations=time
        )
        return dxs.stack(), tf.cast(d_h, tf.float32), d_c, d_kernels[:features], d_kernels[features:], d_bias

    return hs.stack(), gradient


@tf.function(jit_compile=True, autograph=False)
def _gates(z: tf.Tensor, bias: tf.Tensor, c: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`h_t` and `c_t` from `x_t K + h_(t-1) R`, `b` and `c_(t-1)`."""
    i, f, g, o = tf.split(tf.cast(z, tf.float32) + bias, 4, axis=1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.cast(tf.sigmoid(o) * tf.tanh(c), LOW), c


@tf.function(jit_compile=True, autograph=False)
def _slopes(
    z: tf.Tensor, bias: tf.Tensor, c: tf.Tensor, before: tf.Tensor, d_output: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The gradients for `z_t` and `c_(t-1)`. The gates are computed again, which is cheaper than keeping them."""
    i, f, g, o = tf.split(tf.cast(z, tf.float32) + bias, 4, axis=1)
    i, f, g, o, tanh_c = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o), tf.tanh(c)
    d_h = tf.cast(d_output, tf.float32) + tf.cast(d_h, tf.float32)
    d_c = d_c + d_h * o * (1 - tanh_c * tanh_c)
    parts = [d_c * g * i * (1 - i), d_c * before * f * (1 - f), d_c * i * (1 - g * g), d_h * tanh_c * o * (1 - o)]
    return tf.cast(tf.concat(parts, axis=1), LOW), d_c * f
