"""The LSTM recurrence for TensorFlow on a CPU, with nothing but the recurrence inside the time loops.

With the gates `i, f, g, o` of `z_t = x_t K + h_(t-1) R + b`, in Keras' order, a step is

    c_t = f c_(t-1) + i g        h_t = o tanh(c_t)

TensorFlow differentiates a loop operation by operation. It then spends most of its time outside of matrix products, and
computes the weight gradients as `time` thin products. Here `x K + b` of all time steps is one product, the forward loop
holds only `h R` and the gates, the backward loop only finds `dL/dz_t`, and each weight gradient is one product over all
time steps.
"""

from typing import Any

import tensorflow as tf


@tf.custom_gradient
def hoisted_lstm(
    inputs: tf.Tensor,
    h0: tf.Tensor,
    c0: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
) -> tuple:
    """Runs an LSTM with tanh and sigmoid over time-major sequences; differentiable once in every argument.

    Input shape: `inputs` `(time, batch, features)`, `h0` and `c0` `(batch, units)`, `kernel` `(features, 4 units)`,
    `recurrent_kernel` `(units, 4 units)`, `bias` `(4 units,)`.
    Output shape: outputs `(time, batch, units)`, the last `h` and the last `c`, each `(batch, units)`.
    """
    # All time steps in one product, before the loop.
    projected = _time_distributed_product(inputs, kernel) + bias
    outputs, h, c, pre_activations, cells = _forward_loop(projected, h0, c0, recurrent_kernel)

    def gradient(d_outputs: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor) -> tuple:
        # Everything that needs no recurrence is computed for all time steps at once.
        slopes = _local_slopes(pre_activations, cells, _delayed(cells, c0))
        dz, d_h0, d_c0 = _backward_loop(slopes, d_outputs, d_h, d_c, recurrent_kernel)
        return (
            _time_distributed_product(dz, tf.transpose(kernel)),
            d_h0,
            d_c0,
            _sum_of_outer_products(inputs, dz),
            _sum_of_outer_products(_delayed(outputs, h0), dz),
            tf.reduce_sum(dz, axis=(0, 1)),
        )

    return (outputs, h, c), gradient


def _forward_loop(projected: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor, recurrent_kernel: tf.Tensor) -> tuple:
    """Returns all `h_t`, the last `h` and `c`, all `z_t` and all `c_t`, from the products `x_t K + b`."""
    time = tf.shape(projected)[0]

    def step(t: Any, h: Any, c: Any, hs: Any, zs: Any, cs: Any) -> tuple:
        z = projected[t] + tf.matmul(h, recurrent_kernel)
        i, f, g, o = tf.split(z, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        return t + 1, h, c, hs.write(t, h), zs.write(t, z), cs.write(t, c)

    # z and c are kept for the backward pass.
    hs, zs, cs = (tf.TensorArray(projected.dtype, time) for _ in range(3))
    _, h, c, hs, zs, cs = tf.while_loop(lambda t, *_: t < time, step, (0, h0, c0, hs, zs, cs), maximum_iterations=time)
    return hs.stack(), h, c, zs.stack(), cs.stack()


def _local_slopes(z: tf.Tensor, c: tf.Tensor, c_before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The factors of the backward step that depend on the forward pass alone, for all time steps at once.

    Returns `dh_t/dc_t`, `dc_t/dc_(t-1)`, both `(time, batch, units)`, and `(time, batch, 4 units)`: `dc_t/dz_t` for the
    gates i, f, g and `dh_t/dz_t` for o. The gates are computed again from `z`, which is cheaper than keeping them.
    """
    i, f, g, o = tf.split(z, 4, axis=2)
    i, f, g, o, tanh_c = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o), tf.tanh(c)
    gates = tf.concat([g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), tanh_c * o * (1 - o)], axis=2)
    return o * (1 - tanh_c * tanh_c), f, gates


def _backward_loop(
    slopes: tuple, d_outputs: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, recurrent_kernel: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the gradients for all `z_t` `(time, batch, 4 units)`, for `h0` and for `c0`."""
    time = tf.shape(d_outputs)[0]
    h_by_c, c_by_c, by_gates = slopes
    # Without oneDNN a thin product with a transposed operand is about ten times slower than a plain one.
    transposed = tf.transpose(recurrent_kernel)

    def step(t: Any, d_h: Any, d_c: Any, dzs: Any) -> tuple:
        d_h = d_h + d_outputs[t]
        d_c = d_c + d_h * h_by_c[t]
        # i, f and g act through the cell, o through the output.
        dz = tf.concat([d_c, d_c, d_c, d_h], axis=1) * by_gates[t]
        return t - 1, tf.matmul(dz, transposed), d_c * c_by_c[t], dzs.write(t, dz)

    dzs = tf.TensorArray(d_h.dtype, time)
    _, d_h, d_c, dzs = tf.while_loop(lambda t, *_: t >= 0, step, (time - 1, d_h, d_c, dzs), maximum_iterations=time)
    return dzs.stack(), d_h, d_c


def _delayed(sequence: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """The sequence one step later, starting with `first`; same shape `(time, batch, units)`."""
    return tf.concat([first[None], sequence[:-1]], axis=0)


def _time_distributed_product(sequence: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """`(time, batch, n)` times `(n, m)` as one product; returns `(time, batch, m)`."""
    shape = tf.shape(sequence)
    return tf.reshape(tf.matmul(_rows(sequence), matrix), (shape[0], shape[1], matrix.shape[1]))


def _sum_of_outer_products(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The weight gradient `(n, m)` from `(time, batch, n)` and `(time, batch, m)`, summed over time and batch."""
    return tf.matmul(_rows(left), _rows(right), transpose_a=True)


def _rows(sequence: tf.Tensor) -> tf.Tensor:
    return tf.reshape(sequence, (-1, sequence.shape[-1]))
