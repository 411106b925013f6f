"""The optimiser: the stock AdamW everywhere, in one pass over memory on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="music_composer")
class FusedAdamW(keras.optimizers.AdamW):
    """`keras.optimizers.AdamW`; on TensorFlow moments and weights are updated by its fused kernel.

    Written out in single operations, as the stock update is, every one of them goes through all weights once more:
    twice the time for tens of millions of weights. The numbers are the same to rounding.

    A moving average of the weights looks back over a tenth of the updates at first, and never further than
    `ema_momentum` does: weights that were not trained yet do not count for long.
    """

    all_reduce: Callable[[list[Any]], list[Any]] | None = None  # of the gradients, where several processes train
    _scalars: dict[str, Any]  # of the update that is being applied

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        # Once for all weights: a graph that has them for each takes longer to build.
        step = ops.cast(self.iterations, "float32") + 1
        scalars = {"beta1": self.beta_1, "beta2": self.beta_2, "epsilon": self.epsilon}
        scalars |= {"beta1_power": self.beta_1**step, "beta2_power": self.beta_2**step}
        self._scalars = {name: ops.convert_to_tensor(value, "float32") for name, value in scalars.items()}
        # Here, because gradients are clipped by the norm of the whole batch.
        super().apply(self.all_reduce(grads) if self.all_reduce else grads, trainable_variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        # Here and not at the top: the other backends must work without TensorFlow installed.
        import tensorflow as tf

        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            lr=tf.cast(learning_rate, tf.float32),
            grad=gradient,
            **self._scalars,
        )

    def _update_model_variables_moving_average(self, trainable_variables: list[Any]) -> None:
        if not self.use_ema:
            return
        updates = ops.cast(self.iterations, "float32")
        momentum = ops.minimum(self.ema_momentum, (1 + updates) / (10 + updates))
        momentum = ops.cast(updates > 0, "float32") * momentum  # the first average is the first weights
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(momentum * average + (1 - momentum) * variable)
