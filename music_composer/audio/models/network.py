"""The audio model: steps of frames -> latents -> LSTM layers -> head -> latents -> steps of frames.

One object holds the weights; training sees whole windows (`call`), generation one step at a time (`play_steps`).
LSTM state is passed in and out and never kept.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.audio.linear_decoder import WindowDecoder, windows_of
from music_composer.audio.models.heads import head_of
from music_composer.audio.pca import Encoding
from music_composer.layers.lstm import HoistedLSTM, silent_state, stack_step
from music_composer.options import GenerateOptions, ModelOptions, TrainOptions
from music_composer.records import from_plain

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Continuation(keras.Model):
    """Predicts each step of a window from those before it.

    Input in training: frames (batch, steps + 1, size), and the state before them. Output: the loss of each of the steps
    after the first, (batch, steps), and the state before the last one, with which a next window may begin.
    """

    def __init__(
        self,
        options: ModelOptions,
        size: int,
        flow_draws: int = TrainOptions.flow_draws,
        flow_steps: int = GenerateOptions.flow_steps,
        blank: bool = False,
        **kwargs: Any,
    ) -> None:
        """blank: leave out the random start of the recurrent weights, seconds of work, where others will be loaded."""
        super().__init__(**kwargs)
        self.options, self.size = options, size
        self.flow_draws, self.flow_steps = flow_draws, flow_steps
        # Time-distributed as they are: a dense layer treats every step alike. Keras' wrapper of that name (3.15) takes
        # the batch for the time where the number of steps is not known when the graph is built.
        self.encoder = keras.layers.Dense(options.components, trainable=False, name="encoder")
        self.decoder = keras.layers.Dense(size, trainable=False, name="decoder")
        self.lstms = [
            HoistedLSTM(
                options.neurons,
                return_sequences=True,
                return_state=True,
                recurrent_initializer="zeros" if blank else "orthogonal",
                name=f"lstm_{i}",
            )
            for i in range(options.layers)
        ]
        self.head = head_of(options, flow_draws, flow_steps)
        # Decodes what is heard; the loop that feeds itself goes through the components alone.
        self.window_decoder: Any = (
            keras.layers.Dense(size, trainable=False, name="window_decoder") if options.reach else None
        )
        # All randomness of training; the loop sets it before each step, so that any step can be replayed.
        self.noise_seed = keras.random.SeedGenerator(0)

    def build(self, shape: tuple[int | None, ...] | None = None) -> None:
        components, neurons = self.options.components, self.options.neurons
        self.encoder.build((None, None, self.size))
        self.decoder.build((None, None, components))
        for i, lstm in enumerate(self.lstms):
            lstm.build((None, None, components + 1 if i == 0 else neurons))
        self.head.build((None, neurons + components + 1))
        self.low = self.add_weight(shape=(components,), trainable=False, name="low")
        self.high = self.add_weight(shape=(components,), trainable=False, name="high")
        self.ceiling = self.add_weight(shape=(self.size,), trainable=False, name="ceiling")
        if self.window_decoder:
            self.window_decoder.build((None, None, (2 * self.options.reach + 1) * components))
            self.missing = self.add_weight(shape=(self.size,), trainable=False, name="missing")
        self.built = True

    def set_encoding(self, encoding: Encoding, decoder: WindowDecoder | None = None) -> None:
        """Puts the principal components into the first and the last layer, where training leaves them.

        decoder: of windows; wanted where `reach` is not 0.
        """
        self.encoder.set_weights([encoding.forward, -encoding.mean @ encoding.forward])
        self.decoder.set_weights([encoding.backward, encoding.mean])
        if self.options.network_head == "flow":
            self.head.deviations.assign(encoding.deviations)
        self.low.assign(encoding.low)
        self.high.assign(encoding.high)
        self.ceiling.assign(encoding.ceiling)
        if decoder is not None:
            self.window_decoder.set_weights([decoder.kernel, decoder.bias])
            self.missing.assign(decoder.deviations)

    def call(self, inputs: list[Tensor], training: bool = False) -> list[Tensor]:
        windows, *state = inputs
        latents = self.encoder(windows)
        past, target = latents[:, :-1], latents[:, 1:]
        batch = ops.shape(past)[0]
        # The model is told how noisy its past is, so that it learns how far to trust it.
        noisiest = self.options.training_noise if self.options.network_head == "flow" else 0.0
        level = noisiest * keras.random.uniform((batch, 1, 1), seed=self.noise_seed)
        noise = keras.random.normal(ops.shape(past), seed=self.noise_seed)
        hidden, after = self.listen(past, level, noise, training, state)
        return [self.head.loss(hidden, target, self.noise_seed), *after]

    def listen(
        self, latents: Tensor, level: Tensor, noise: Tensor, training: bool = False, state: State | None = None
    ) -> tuple[Tensor, State]:
        """latents, noise (batch, steps, components), level (batch, 1, 1) -> what the head is told, and the state.

        The head is told the hidden state and the noisy step itself, (batch, steps, neurons + components + 1): most of
        the next step is in the last one, and through the recurrence alone that takes long to learn.
        """
        heard = x = self._with_noise(latents, level, noise)
        after: State = []
        for i, lstm in enumerate(self.lstms):
            before = None if state is None else state[2 * i : 2 * i + 2]
            y, h, c = lstm(x, initial_state=before, training=training)
            after += [h, c]
            # Layers after the first add to what is below them, so that a deep stack learns as fast as a flat one.
            x = y if i == 0 else x + y
            if training and self.options.dropout:
                x = keras.random.dropout(x, self.options.dropout, seed=self.noise_seed)
        return ops.concatenate([x, heard], axis=-1), after

    def listen_step(self, latents: Tensor, level: Tensor, noise: Tensor, state: State) -> tuple[Tensor, State]:
        """The same for one step: latents and noise (batch, components), level (batch, 1)."""
        heard = x = self._with_noise(latents, level, noise)
        x, after = stack_step(self.lstms, x, state)
        return ops.concatenate([x, heard], axis=-1), after

    def sample(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """hidden (batch, neurons + components + 1), noise (batch, components) -> the next latents (batch, components).

        They are held to the range of the training music, component by component, and band by band to the loudest that
        it was. A sampler that feeds itself meets states that training never showed it; an error beyond that range
        would grow there unseen, into a drone that never ends.
        """
        # JAX takes no variables inside a loop, only their values.
        low, high, ceiling = (ops.convert_to_tensor(limit) for limit in (self.low, self.high, self.ceiling))
        latents = ops.clip(self.head.sample(hidden, noise), low, high)
        return self.encoder(ops.minimum(self.decoder(latents), ceiling))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """(..., reach + steps + reach, components) -> (..., steps, size): what is heard, but for the residual."""
        # By the backend: after a product of its own NumPy's threads go on spinning, on the cores that a model plays on.
        decoder = self.window_decoder or self.decoder
        return ops.convert_to_numpy(decoder(windows_of(latents, self.options.reach)))

    def residual(self, steps: int, share: float, rng: np.random.Generator) -> np.ndarray:
        """Noise (steps, size) of `share` of the deviation of what no latents say. No model without `reach` has one.

        Drawn step by step: two pieces of it are one long one.
        """
        deviations = np.float32(share) * ops.convert_to_numpy(self.missing)
        return deviations * rng.standard_normal((steps, self.size), np.float32)

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return silent_state(self.lstms, batch)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        return ops.mean(y_pred[0])

    def compute_metrics(self, x: Tensor, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> dict[str, Tensor]:
        """What `train_on_batch` and `test_on_batch` return: the loss, and "state_0" and so on, to go on from."""
        loss, *after = y_pred
        return {"loss": ops.mean(loss), **{f"state_{i}": part for i, part in enumerate(after)}}

    def get_config(self) -> dict[str, Any]:
        plain = {"options": dataclasses.asdict(self.options), "size": self.size}
        return {**super().get_config(), **plain, "flow_draws": self.flow_draws, "flow_steps": self.flow_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Continuation:
        return cls(**{**config, "options": from_plain(ModelOptions, config["options"])})

    def _with_noise(self, latents: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        told = ops.broadcast_to(level, (*ops.shape(latents)[:-1], 1))
        return ops.concatenate([latents + level * noise, told], axis=-1)
