"""Ways of training that are not in the tool, each as a change of one of its functions, for continuation_trial.py.

`VARIANTS[name]()` changes the running process; nothing changes it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from past_variants import PAST_VARIANTS

from music_composer.audio.models.heads import FlowHead
from music_composer.audio.models.network import Continuation
from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import floor
from music_composer.layers.batch_noise import BatchNoise
from music_composer.training import loop
from music_composer.training.options import TrainOptions

GAIN_DB = 6.0
EMA_UPDATES = 200  # that the averaged weights look back over
SELF_FED = 0.25  # share of the steps that the model hears as it would have played them
HELD_STATE = 0.1  # share of the neurons that keep the state of a chunk ago


def middle_times() -> None:
    """The flow learns at times drawn from a logit-normal distribution, more often halfway (Esser et al. 2024)."""

    def loss(self: FlowHead, hidden: Any, target: Any, seed: Any) -> Any:
        past = tuple(part[None] for part in self(hidden))
        shape = (self.draws, *ops.shape(target))
        noise = keras.random.normal(shape, seed=seed)
        t = ops.sigmoid(keras.random.normal((*shape[:-1], 1), seed=seed))
        error = self.velocity((1 - t) * noise + t * target, t, past) - (target - noise)
        return ops.mean(ops.square(error), axis=(0, -1))

    FlowHead.loss = loss  # type: ignore[method-assign, assignment]


def gain() -> None:
    """Every window is learnt at a level of its own, up to 6 dB louder or softer."""
    learn, silence = loop.learn, np.float32(np.log(floor(FrameOptions())))

    def learn_at_a_level(model: Any, inputs: loop.Inputs, carried: Any) -> Any:
        windows = inputs[0]
        rng = np.random.default_rng(int(model.noise_seed.state[1]))
        shift = rng.uniform(-GAIN_DB, GAIN_DB, (len(windows), 1, 1)).astype(np.float32) * np.log(10) / 20
        return learn(model, [np.maximum(windows + shift, silence).astype(np.float32)], carried)

    loop.learn = learn_at_a_level


def averaged() -> None:
    """What is judged and kept is an exponential moving average of the weights."""
    compile_model, end_epoch = loop.compile_model, loop._end_epoch
    averages: list[np.ndarray] = []
    learn = loop.learn

    def compile_plainly(model: Any, options: TrainOptions) -> None:
        averages.clear()
        compile_model(model, options)

    def learn_and_average(model: Any, inputs: loop.Inputs, carried: Any) -> Any:
        found = learn(model, inputs, carried)
        now = [ops.convert_to_numpy(weight) for weight in model.trainable_variables]
        if not averages:
            averages.extend(weight.copy() for weight in now)
        for mean, weight in zip(averages, now, strict=True):
            mean += (weight - mean) / EMA_UPDATES
        return found

    def end_with_averages(model: Any, *rest: Any) -> None:
        live = [ops.convert_to_numpy(weight).copy() for weight in model.trainable_variables]
        for weight, mean in zip(model.trainable_variables, averages, strict=True):
            weight.assign(mean)
        end_epoch(model, *rest)
        for weight, mean in zip(model.trainable_variables, live, strict=True):
            weight.assign(mean)

    loop.compile_model, loop.learn, loop._end_epoch = compile_plainly, learn_and_average, end_with_averages  # type: ignore[assignment]


def self_fed() -> None:
    """A quarter of the past is what the model itself would have played there (Mihaylova & Martins 2019)."""
    call = Continuation.call

    def call_after_playing(self: Continuation, inputs: list[Any], training: bool = False) -> list[Any]:
        if not training:
            return call(self, inputs, training)
        windows, *state = inputs
        latents = self.encoder(windows)
        past = latents[:, :-1]
        shape = ops.shape(past)
        quiet = ops.zeros((shape[0], 1, 1))
        hidden, _ = self.forward_sequence(past, quiet, ops.zeros_like(past), False, state)
        start = keras.random.normal((shape[0] * shape[1], shape[2]), seed=self.noise_seed)
        played = self.head.sample(ops.reshape(hidden, (-1, hidden.shape[-1])), start)
        played = ops.stop_gradient(ops.reshape(ops.clip(played, self.low, self.high), shape))
        fed = ops.concatenate([past[:, :1], played[:, :-1]], axis=1)
        chosen = keras.random.uniform((*shape[:2], 1), seed=self.noise_seed) < SELF_FED
        heard = ops.where(chosen, fed, past)
        level = self.options.training_noise * keras.random.uniform((shape[0], 1, 1), seed=self.noise_seed)
        noise = keras.random.normal(shape, seed=self.noise_seed)
        hidden, after = self.forward_sequence(heard, level, noise, training, state)
        return [self.head.loss(hidden, latents[:, 1:], BatchNoise(self.noise_seed)), *after]

    Continuation.call = call_after_playing  # type: ignore[method-assign, assignment]


def quiet_noise() -> None:
    """The noise on the past is most often faint: its deviation is the cube of an even draw."""
    uniform = keras.random.uniform

    def drawn(shape: Any, *arguments: Any, **named: Any) -> Any:
        even = uniform(shape, *arguments, **named)
        return even**3 if len(shape) == 3 and tuple(shape[1:]) == (1, 1) else even

    keras.random.uniform = drawn


def held_state() -> None:
    """Between two chunks a tenth of the neurons keep the state that they had a chunk ago (zoneout, Krueger 2017)."""
    learn = loop.learn

    def learn_with_held_state(model: Any, inputs: loop.Inputs, carried: Any) -> Any:
        loss, after = learn(model, inputs, carried)
        rng = np.random.default_rng(int(model.noise_seed.state[1]))
        return loss, [
            np.where(rng.random(new.shape) < HELD_STATE, old, new) for old, new in zip(carried, after, strict=True)
        ]

    loop.learn = learn_with_held_state


VARIANTS: dict[str, Callable[[], None]] = {
    "middle-times": middle_times,
    "gain": gain,
    "averaged": averaged,
    "self-fed": self_fed,
    "quiet-noise": quiet_noise,
    "held-state": held_state,
    **PAST_VARIANTS,
}
