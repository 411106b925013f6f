"""The audio network: steps of frames -> latents -> LSTM layers -> head -> latents -> steps of frames.

One object holds the weights. Training runs whole windows (`call`), generation runs single steps (`forward_step` and
`sample`). LSTM state is passed in and out and never kept in a layer.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.audio.linear_decoder import WindowDecoder, windows_of
from music_composer.audio.models.heads import head_of
from music_composer.audio.options import ModelOptions
from music_composer.audio.pca import Encoding
from music_composer.audio.play_options import GenerateOptions
from music_composer.layers.batch_noise import BatchNoise
from music_composer.layers.lstm import HoistedLSTM, silent_state, stack_step
from music_composer.records import from_plain, to_plain
from music_composer.training.options import TrainOptions
from music_composer.values import Rows

Tensor = Any
State = list[Tensor]  # h and c of each layer, each (batch, neurons)


@keras.saving.register_keras_serializable(package="music_composer")
class Continuation(keras.Model):
    """Predicts each step of a window from the steps before it.

    Input in training: frames (batch, steps + 1, size) and the state before them. Output: the loss of each step after
    the first, (batch, steps), and the state before the last step, with which the next window may begin.
    """

    def __init__(
        self,
        options: ModelOptions,
        size: int,
        flow_draws: int = TrainOptions.flow_draws,
        flow_steps: int = GenerateOptions.flow_steps,
        skip_initialization: bool = False,
        **kwargs: Any,
    ) -> None:
        """skip_initialization: leave out the random initial recurrent weights, which take seconds to make.

        Use it only where weights will be loaded.
        """
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
                recurrent_initializer="zeros" if skip_initialization else "orthogonal",
                name=f"lstm_{i}",
            )
            for i in range(options.layers)
        ]
        self.head = head_of(options, flow_draws, flow_steps)
        # Decodes the output only: the feedback loop uses the components alone, since it does not know later steps yet.
        self.window_decoder: Any = (
            keras.layers.Dense(size, trainable=False, name="window_decoder") if options.reach else None
        )
        # All randomness of training; the loop sets it before each step, so that any step can be replayed.
        self.noise_seed = keras.random.SeedGenerator(0)
        # Those of each batch that this process trains on; None: all of them.
        self.rows: Rows | None = None

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
        """Puts the principal components into the first and the last layer, which training leaves unchanged.

        decoder: the window decoder; required where `reach` is not 0.
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
        draws = self._draws(training)
        # The noise level is an input, so the model learns how far to trust its past (Pasini et al. 2024).
        noisiest = self.options.training_noise if self.options.network_head == "flow" else 0.0
        noise_level = noisiest * draws.uniform((ops.shape(past)[0], 1, 1))
        noise = draws.normal(ops.shape(past))
        condition, after = self.forward_sequence(past, noise_level, noise, training, state)
        return [self.head.loss(condition, target, draws), *after]

    def forward_sequence(
        self, latents: Tensor, noise_level: Tensor, noise: Tensor, training: bool = False, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Runs the layers over latents and returns the condition of the head and the state.

        latents, noise: (batch, steps, components). noise_level: (batch, 1, 1). The condition (batch, steps, neurons +
        components + 1) is the hidden state with the noisy step itself: the last step predicts most of the next one, and
        the recurrence alone would take long to learn that.
        """
        noisy = x = self._with_noise(latents, noise_level, noise)
        after: State = []
        for i, lstm in enumerate(self.lstms):
            before = None if state is None else state[2 * i : 2 * i + 2]
            y, h, c = lstm(x, initial_state=before, training=training)
            after += [h, c]
            # Layers after the first add to what is below them, so that a deep stack learns as fast as a flat one.
            x = y if i == 0 else x + y
            if training and self.options.dropout:
                x = self._draws(training).dropout(x, self.options.dropout)
        return ops.concatenate([x, noisy], axis=-1), after

    def forward_step(self, latents: Tensor, noise_level: Tensor, noise: Tensor, state: State) -> tuple[Tensor, State]:
        """Runs the layers over one step: latents and noise (batch, components), noise_level (batch, 1)."""
        noisy = x = self._with_noise(latents, noise_level, noise)
        x, after = stack_step(self.lstms, x, state)
        return ops.concatenate([x, noisy], axis=-1), after

    def sample(self, condition: Tensor, noise: Tensor) -> Tensor:
        """Draws the next latents (batch, components) from noise of the same shape.

        condition: (batch, neurons + components + 1). Latents are clipped to the range of the training music in each
        component, and to its loudest level in each band. A model that feeds itself reaches states that training never
        showed. An error beyond that range would grow there unseen, into a drone that never ends.
        """
        # JAX takes no variables inside a loop, only their values.
        low, high, ceiling = (ops.convert_to_tensor(limit) for limit in (self.low, self.high, self.ceiling))
        latents = ops.clip(self.head.sample(condition, noise), low, high)
        return self.encoder(ops.minimum(self.decoder(latents), ceiling))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Latents (..., reach + steps + reach, components) -> steps (..., steps, size) without the residual."""
        # By the backend: NumPy's BLAS threads keep spinning after a product, on the cores that the model needs.
        decoder = self.window_decoder or self.decoder
        return ops.convert_to_numpy(decoder(windows_of(latents, self.options.reach)))

    def residual(self, steps: int, share: float, rng: np.random.Generator) -> np.ndarray:
        """Returns noise (steps, size) with `share` of the deviation that the latents cannot express.

        Only a model with `reach` above 0 has a residual. It is drawn step by step, so two pieces equal one long one.
        """
        deviations = np.float32(share) * ops.convert_to_numpy(self.missing)
        return deviations * rng.standard_normal((steps, self.size), np.float32)

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Returns the state before any music: zeros (batch, neurons), h and c of each layer."""
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
        """Returns the results of a batch: the loss, and the state as "state_0" and so on."""
        loss, *after = y_pred
        return {"loss": ops.mean(loss), **{f"state_{i}": part for i, part in enumerate(after)}}

    def get_config(self) -> dict[str, Any]:
        plain = {"options": to_plain(self.options), "size": self.size}
        return {**super().get_config(), **plain, "flow_draws": self.flow_draws, "flow_steps": self.flow_steps}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Continuation:
        return cls(**{**config, "options": from_plain(ModelOptions, config["options"])})

    def _draws(self, training: bool) -> BatchNoise:
        return BatchNoise(self.noise_seed, self.rows if training else None)

    def _with_noise(self, latents: Tensor, noise_level: Tensor, noise: Tensor) -> Tensor:
        known_level = ops.broadcast_to(noise_level, (*ops.shape(latents)[:-1], 1))
        return ops.concatenate([latents + noise_level * noise, known_level], axis=-1)
