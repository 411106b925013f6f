"""Output heads: from the LSTM's hidden state to the next latents. One verb pair: `loss` while training, `sample` after.

Both take what the network knows of the past, (batch, steps, told) or (batch, told): its hidden state and the step that
it has just heard. A step's latents never depend on later steps.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from music_composer.options import ModelOptions

Tensor = Any
TIME_FEATURES = 16


@keras.saving.register_keras_serializable(package="music_composer")
class RegressionHead(keras.layers.Layer):
    """The seeds' own recipe: the mean squared error's best guess, the conditional mean.

    Input shape: (..., told). Output shape: (..., components).
    """

    def __init__(self, components: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.components = components
        self.outlet = keras.layers.Dense(components)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.outlet.build(shape)

    def call(self, hidden: Tensor) -> Tensor:
        return self.outlet(hidden)

    def loss(self, hidden: Tensor, target: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Squared error of each step, (batch, steps)."""
        return ops.mean(ops.square(self(hidden) - target), axis=-1)

    def sample(self, hidden: Tensor, noise: Tensor) -> Tensor:
        return self(hidden)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}


@keras.saving.register_keras_serializable(package="music_composer")
class FlowHead(keras.layers.Layer):
    """A residual network that carries noise to music along straight lines, given the hidden state.

    Flow matching (Lipman et al. 2023; rectified flow, Liu et al. 2023): x_t = (1 - t) noise + t target, and the
    network learns the velocity target - noise. Sampling integrates the velocity from t = 0 to 1.

    The hidden state enters each block by a projection that is independent of x and t, so that it is formed once a
    frame however many times the network is asked.
    """

    def __init__(self, components: int, width: int, blocks: int, draws: int, flow_steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.components, self.width, self.blocks = components, width, blocks
        self.draws, self.flow_steps = draws, flow_steps
        self.inlet = keras.layers.Dense(width)
        self.condition = keras.layers.Dense(width * blocks)
        self.time = keras.layers.Dense(width * blocks)
        self.norms = [keras.layers.LayerNormalization() for _ in range(blocks)]
        self.widen = [keras.layers.Dense(width, activation="silu") for _ in range(blocks)]
        # Blocks and outlet begin at zero: the first guess knows no music, and training starts calmly.
        self.narrow = [keras.layers.Dense(width, kernel_initializer="zeros") for _ in range(blocks)]
        self.last_norm = keras.layers.LayerNormalization()
        self.outlet = keras.layers.Dense(components, kernel_initializer="zeros")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.deviations = self.add_weight((self.components,), "ones", trainable=False, name="deviations")
        wide = (None, self.width)
        self.inlet.build((None, self.components))
        self.condition.build((None, shape[-1]))
        self.time.build((None, TIME_FEATURES))
        for layer in (*self.norms, *self.widen, *self.narrow, self.last_norm, self.outlet):
            layer.build(wide)

    def call(self, hidden: Tensor) -> Tensor:
        """Input shape: (..., told). Output shape: (..., width * blocks), what `velocity` is given of it."""
        return self.condition(hidden)

    def velocity(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        """x (..., components) at times t (..., 1) under `self(hidden)` -> velocity (..., components).

        The layers only learn what is left of the velocity when x is unit noise mixed at random with music of the
        latents' deviations: the straight line through both that least squares would draw. What goes in and what comes
        out of them has unit deviation at every t (preconditioning, Karras et al. 2022).
        """
        return self._velocity(x, t, condition + self.time(_time_features(t)))

    def _velocity(self, x: Tensor, t: Tensor, shift: Tensor) -> Tensor:
        """The same, given what condition and time add to the blocks, (..., width * blocks)."""
        # JAX takes no variables inside a loop, only their values.
        spread = ops.convert_to_tensor(self.deviations)
        power = (1 - t) ** 2 + (t * spread) ** 2
        shifts = ops.split(shift, self.blocks, axis=-1)
        y = self.inlet(x * ops.rsqrt(power))
        for norm, widen, narrow, shift in zip(self.norms, self.widen, self.narrow, shifts, strict=True):
            y = y + narrow(widen(norm(y) + shift))
        straight = (t * spread**2 - (1 - t)) / power
        return straight * x + spread * ops.rsqrt(power) * self.outlet(self.last_norm(y))

    def loss(self, hidden: Tensor, target: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Squared error of the velocity at `draws` times, (batch, steps).

        The times of one step are spread evenly with one random offset: the same mean, less variance.
        """
        condition = ops.repeat(self(hidden)[None], self.draws, axis=0)
        shape = (self.draws, *ops.shape(target))
        noise = keras.random.normal(shape, seed=seed)
        offset = keras.random.uniform((1, *shape[1:-1], 1), seed=seed)
        spread = ops.reshape(ops.arange(self.draws, dtype="float32"), (self.draws, 1, 1, 1))
        t = (spread + offset) / self.draws
        x = (1 - t) * noise + t * target
        error = self.velocity(x, t, condition) - (target - noise)
        return ops.mean(ops.square(error), axis=(0, -1))

    def sample(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """noise (batch, components), deviation = temperature -> latents, by `flow_steps` Euler steps."""
        times = ops.arange(self.flow_steps, dtype="float32")[:, None] / self.flow_steps
        shifts = self(hidden)[None] + self.time(_time_features(times))[:, None]
        # A loop in the graph: written out, its steps would take longer to trace than a stream's first sound may take.
        return ops.fori_loop(
            0, self.flow_steps, lambda i, x: x + self._velocity(x, times[i], shifts[i]) / self.flow_steps, noise
        )

    def get_config(self) -> dict[str, Any]:
        names = ("components", "width", "blocks", "draws", "flow_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def head_of(options: ModelOptions, draws: int, flow_steps: int) -> RegressionHead | FlowHead:
    """The head that `options` name."""
    if options.head == "regression":
        return RegressionHead(options.components, name="head")
    return FlowHead(options.components, options.head_width, options.head_blocks, draws, flow_steps, name="head")


def _time_features(t: Tensor) -> Tensor:
    """(..., 1) -> (..., 16): sines and cosines from one to 128 half turns over the flow."""
    turns = 3.14159265 * 2.0 ** ops.arange(TIME_FEATURES // 2, dtype="float32")
    return ops.concatenate([ops.sin(t * turns), ops.cos(t * turns)], axis=-1)
