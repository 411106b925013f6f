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
NARROWEST, WIDEST = -3.0, 0.7  # logarithm of the least and greatest deviation of a guess, over the music's own


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
    """A residual network that carries noise to music along straight lines, given the past.

    Flow matching (Lipman et al. 2023; rectified flow, Liu et al. 2023): x_t = (1 - t) noise + t target, and the
    network learns the velocity target - noise.

    From the past alone comes a Gaussian guess at the target, a mean and a deviation of each latent. Were it right, the
    velocity would be known (preconditioning, Karras et al. 2022, here about a guess that is learnt with the rest); the
    blocks only learn what is left. They see u, x_t about the guess in units of the deviation that it would have there.
    Along the flow u turns at the rate that the blocks give, a turn from noise to music being a right angle
    (trigonometric flow, Lu & Song 2024). Where the guess is right u stays what it is, and one step is exact.

    The past enters each block by a projection that is independent of x and t, so that it is formed once a step of the
    music however many times the network is asked. The blocks are gated (Shazeer 2020): whether a chord changes shows
    in products of the latents, and a network of sums would need long to learn those.
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
        told, wide = shape[-1] or 0, (None, self.width)
        self.thought.build((None, told))
        self.guess.build((None, told + self.width))
        self.inlet.build((None, self.components))
        self.condition.build((None, told))
        self.time.build((None, TIME_FEATURES))
        for layer in (*self.norms, *self.widen, *self.narrow, self.last_norm, self.outlet):
            layer.build(wide)

    def call(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Input shape: (..., told). Output: what is added in the blocks, (..., width * blocks), and the guess at the
        target, its mean and deviation, both (..., components).
        """
        guess = self.guess(ops.concatenate([hidden, self.thought(hidden)], axis=-1))
        mean, narrower = guess[..., : self.components], guess[..., self.components :]
        # JAX takes no variables inside a loop, only their values.
        spread = ops.convert_to_tensor(self.deviations) * ops.exp(ops.clip(narrower, NARROWEST, WIDEST))
        return self.condition(hidden), mean, spread

    def velocity(self, x: Tensor, t: Tensor, past: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """x (..., components) at times t (..., 1) after `self(hidden)` -> velocity (..., components)."""
        shift, mean, spread = past
        power = (1 - t) ** 2 + (t * spread) ** 2
        rest = x - t * mean
        turning = self._turning(rest * ops.rsqrt(power), shift + self.time(_time_features(t)))
        return mean + (t * spread**2 - (1 - t)) / power * rest + spread * ops.rsqrt(power) * turning

    def _turning(self, u: Tensor, shift: Tensor) -> Tensor:
        """How fast u turns, a radian, given what past and time add in the blocks, (..., width * blocks)."""
        y = self.inlet(u)
        shifts = ops.split(shift, self.blocks, axis=-1)
        for norm, widen, narrow, shift in zip(self.norms, self.widen, self.narrow, shifts, strict=True):
            value, gate = ops.split(widen(norm(y) + shift), 2, axis=-1)
            y = y + narrow(value * ops.silu(gate))
        return self.outlet(self.last_norm(y))

    def loss(self, hidden: Tensor, target: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Squared error of the velocity at `draws` times, (batch, steps).

        The times of one step are spread evenly with one random offset: the same mean, less variance.
        """
        past = tuple(part[None] for part in self(hidden))
        shape = (self.draws, *ops.shape(target))
        noise = keras.random.normal(shape, seed=seed)
        offset = keras.random.uniform((1, *shape[1:-1], 1), seed=seed)
        spread = ops.reshape(ops.arange(self.draws, dtype="float32"), (self.draws, 1, 1, 1))
        t = (spread + offset) / self.draws
        x = (1 - t) * noise + t * target
        error = self.velocity(x, t, past) - (target - noise)
        return ops.mean(ops.square(error), axis=(0, -1))

    def sample(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """noise (batch, components), deviation = temperature -> latents, by `flow_steps` steps of Euler's."""
        times = ops.arange(self.flow_steps + 1, dtype="float32")[:, None, None] / self.flow_steps
        shift, mean, spread = self(hidden)
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
    """The head that `options` name."""
    if options.head == "regression":
        return RegressionHead(options.components, name="head")
    return FlowHead(options.components, options.head_width, options.head_blocks, draws, flow_steps, name="head")


def _time_features(t: Tensor) -> Tensor:
    """(..., 1) -> (..., 16): sines and cosines from one to 128 half turns over the flow."""
    turns = 3.14159265 * 2.0 ** ops.arange(TIME_FEATURES // 2, dtype="float32")
    return ops.concatenate([ops.sin(t * turns), ops.cos(t * turns)], axis=-1)
