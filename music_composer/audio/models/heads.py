"""Output heads: from the condition to the next latents. `loss` in training, `sample` in generation.

The condition (batch, steps, condition size) holds the hidden state, the last noisy step and the noise level. The
latents of a step never depend on later steps.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from music_composer.audio.options import ModelOptions
from music_composer.layers.batch_noise import BatchNoise

Tensor = Any
TIME_FEATURES = 16  # sines and cosines of the flow time
NARROWEST, WIDEST = -3.0, 0.7  # log of the smallest and largest deviation of a guess, relative to that of the music


@keras.saving.register_keras_serializable(package="music_composer")
class RegressionHead(keras.layers.Layer):
    """Predicts the conditional mean of the next latents, trained on the squared error, as earlier systems do.

    Input shape: (..., condition size). Output shape: (..., components).
    """

    def __init__(self, components: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.components = components
        self.outlet = keras.layers.Dense(components)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.outlet.build(shape)

    def call(self, condition: Tensor) -> Tensor:
        return self.outlet(condition)

    def loss(self, condition: Tensor, target: Tensor, draws: BatchNoise) -> Tensor:
        """Returns the squared error of each step, (batch, steps). Nothing is drawn."""
        return ops.mean(ops.square(self(condition) - target), axis=-1)

    def sample(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Returns the conditional mean (batch, components). The noise is not used."""
        return self(condition)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "components": self.components}


@keras.saving.register_keras_serializable(package="music_composer")
class FlowHead(keras.layers.Layer):
    """A residual network that carries noise to music along straight lines, given the condition.

    Flow matching (Lipman et al. 2023; rectified flow, Liu et al. 2023): x_t = (1 - t) noise + t target. The network
    learns the velocity target - noise.

    The condition alone gives a Gaussian guess at the target: a mean and a deviation of each latent. If the guess were
    right, the velocity would be known (preconditioning, Karras et al. 2022; here the guess is learnt too). The blocks
    only learn the rest. They read u, which is x_t relative to the guess in units of the deviation that it would have at
    time t. Along the flow, u turns at the rate that the blocks predict; the way from noise to music is a right angle
    (trigonometric flow, Lu and Song 2024). Where the guess is right u stays constant and one step is exact.

    The condition enters each block by a projection that does not depend on x and t. It is computed once for each step
    of the music, however often the network is evaluated. The blocks are gated (Shazeer 2020): chord changes show in
    products of latents, which a network of sums learns slowly.
    """

    def __init__(self, components: int, width: int, blocks: int, draws: int, flow_steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.components, self.width, self.blocks = components, width, blocks
        self.draws, self.flow_steps = draws, flow_steps
        self.thought = keras.layers.Dense(width, activation="silu")
        self.guess = keras.layers.Dense(2 * components, kernel_initializer="zeros")
        self.inlet = keras.layers.Dense(width)
        self.condition = keras.layers.Dense(width * blocks)
        self.time = keras.layers.Dense(width * blocks)
        self.norms = [keras.layers.LayerNormalization() for _ in range(blocks)]
        self.widen = [keras.layers.Dense(2 * width) for _ in range(blocks)]
        # Blocks and outlet begin at zero: the first guess knows no music, and training starts calmly.
        self.narrow = [keras.layers.Dense(width, kernel_initializer="zeros") for _ in range(blocks)]
        self.last_norm = keras.layers.LayerNormalization()
        self.outlet = keras.layers.Dense(components, kernel_initializer="zeros")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.deviations = self.add_weight((self.components,), "ones", trainable=False, name="deviations")
        condition_size, wide = shape[-1] or 0, (None, self.width)
        self.thought.build((None, condition_size))
        self.guess.build((None, condition_size + self.width))
        self.inlet.build((None, self.components))
        self.condition.build((None, condition_size))
        self.time.build((None, TIME_FEATURES))
        for layer in (*self.norms, *self.widen, *self.narrow, self.last_norm, self.outlet):
            layer.build(wide)

    def call(self, condition: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the shift of the blocks (..., width * blocks), and mean and deviation of the guess (..., components).

        Input shape: (..., condition size).
        """
        guess = self.guess(ops.concatenate([condition, self.thought(condition)], axis=-1))
        mean, narrower = guess[..., : self.components], guess[..., self.components :]
        # JAX takes no variables inside a loop, only their values.
        spread = ops.convert_to_tensor(self.deviations) * ops.exp(ops.clip(narrower, NARROWEST, WIDEST))
        return self.condition(condition), mean, spread

    def velocity(self, x: Tensor, t: Tensor, past: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """x (..., components) at times t (..., 1), and `self(condition)` -> velocity (..., components)."""
        shift, mean, spread = past
        power = (1 - t) ** 2 + (t * spread) ** 2
        rest = x - t * mean
        turning = self._turning(rest * ops.rsqrt(power), shift + self.time(_time_features(t)))
        return mean + (t * spread**2 - (1 - t)) / power * rest + spread * ops.rsqrt(power) * turning

    def _turning(self, u: Tensor, shift: Tensor) -> Tensor:
        """Returns how fast u turns, per radian. shift: (..., width * blocks), from the condition and the time."""
        y = self.inlet(u)
        shifts = ops.split(shift, self.blocks, axis=-1)
        for norm, widen, narrow, shift in zip(self.norms, self.widen, self.narrow, shifts, strict=True):
            value, gate = ops.split(widen(norm(y) + shift), 2, axis=-1)
            y = y + narrow(value * ops.silu(gate))
        return self.outlet(self.last_norm(y))

    def loss(self, condition: Tensor, target: Tensor, draws: BatchNoise) -> Tensor:
        """Returns the squared error of the velocity at `draws` times, (batch, steps).

        The times of one step are evenly spaced with one random offset: the mean stays, the variance falls.
        """
        past = tuple(part[None] for part in self(condition))
        shape = (self.draws, *ops.shape(target))
        noise = draws.normal(shape, axis=1)
        offset = draws.uniform((1, *shape[1:-1], 1), axis=1)
        spread = ops.reshape(ops.arange(self.draws, dtype="float32"), (self.draws, 1, 1, 1))
        t = (spread + offset) / self.draws
        x = (1 - t) * noise + t * target
        error = self.velocity(x, t, past) - (target - noise)
        return ops.mean(ops.square(error), axis=(0, -1))

    def sample(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Integrates noise to latents, (batch, components) both, with `flow_steps` Euler steps.

        The deviation of the noise is the temperature.
        """
        times = ops.arange(self.flow_steps + 1, dtype="float32")[:, None, None] / self.flow_steps
        shift, mean, spread = self(condition)
        shifts = shift + self.time(_time_features(times[:-1]))
        angles = ops.arctan2(times * spread, 1 - times)
        turns = angles[1:] - angles[:-1]
        # A loop in the graph: written out, its steps would take longer to trace than a stream's first sound may take.
        u = ops.fori_loop(0, self.flow_steps, lambda i, u: u + turns[i] * self._turning(u, shifts[i]), noise)
        return mean + spread * u

    def get_config(self) -> dict[str, Any]:
        names = ("components", "width", "blocks", "draws", "flow_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def head_of(options: ModelOptions, draws: int, flow_steps: int) -> RegressionHead | FlowHead:
    """Returns the head that `options` name."""
    if options.head == "regression":
        return RegressionHead(options.components, name="head")
    return FlowHead(options.components, options.head_width, options.head_blocks, draws, flow_steps, name="head")


def _time_features(t: Tensor) -> Tensor:
    """(..., 1) -> (..., 16): sines and cosines of 1 to 128 half turns over the flow."""
    turns = 3.14159265 * 2.0 ** ops.arange(TIME_FEATURES // 2, dtype="float32")
    return ops.concatenate([ops.sin(t * turns), ops.cos(t * turns)], axis=-1)
