"""Closes the loop: a prompt's frames in, an endless stream of new frames out. The only file that feeds a model itself.

All samples of a batch play side by side in one compiled loop. The noise of each sample is drawn here, from its own
stream, so that a sample depends on its seed alone and not on its neighbours or on how long a chunk is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from music_composer.audio.models.network import Continuation
from music_composer.audio.prompts import Prompt
from music_composer.audio.spectrogram import to_frames, to_steps
from music_composer.options import GenerateOptions
from music_composer.training.devices import compile_arguments, playing_fast

Tensor = Any
Loop = TypeVar("Loop", bound=keras.Model)
LOOPS = "_loops"  # the attribute of a model that holds its compiled loops
LOUDEST = np.log(2.0)  # of a band's magnitude; full scale is log(1)


class Listener(keras.Model):
    """Input: latents, noise (batch, steps, components), level (batch, 1, 1). Output: the state after the last step."""

    def __init__(self, model: Continuation) -> None:
        super().__init__()
        self.model = model
        self.compile(**compile_arguments())

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        return self.model.listen(*inputs)[1]


class Player(keras.Model):
    """Plays as many steps as it is given noise for.

    Input: the last latents (batch, components), level (batch, 1), noise for the past and noise to flow from (both
    (batch, steps, components)), and the state before those latents.
    Output: new latents (batch, steps, components), and the state before the last of them.
    """

    def __init__(self, model: Continuation) -> None:
        super().__init__()
        self.model = model
        self.compile(**compile_arguments())

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        latents, level, past_noise, flow_noise, *state = inputs
        steps = ops.shape(past_noise)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, played: Tensor, latents: Tensor, *state: Tensor) -> list[Tensor]:
            noise = ops.take(past_noise, i, axis=1), ops.take(flow_noise, i, axis=1)
            hidden, after = self.model.listen_step(latents, level, noise[0], list(state))
            latents = self.model.sample(hidden, noise[1])
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            return [i + 1, ops.where(ops.equal(index, i), latents[:, None], played), latents, *after]

        start = [ops.zeros((), dtype="int32"), ops.zeros_like(flow_noise), latents, *state]
        _, played, _, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [played, *state]


def compiled_once(model: Continuation, kind: type[Loop]) -> Loop:
    """The model's own Listener or Player: its graph is built when it first plays, and kept for as long as the model."""
    loops: dict[type[Loop], Loop] = vars(model).get(LOOPS, {})
    if kind not in loops:
        # Past Keras, which would take a loop for a layer of the model that is a layer of the loop.
        object.__setattr__(model, LOOPS, {**loops, kind: kind(model)})
    found: Loop = vars(model)[LOOPS][kind]
    return found


def continue_prompts(
    model: Continuation,
    prompts: Sequence[Prompt],
    rngs: Sequence[np.random.Generator],
    options: GenerateOptions,
    chunk_steps: int,
) -> Iterator[np.ndarray]:
    """Listens to the prompts at once, and returns what yields new frames without end.

    They come `chunk_steps` steps at a time: (batch, frames, channels, bands), float32. Of the first chunk the last
    `reach` steps come with the second, since they are decoded by what follows them. The same prompts and generators in
    the same state give the same frames. A blend goes on from the mean of what the model remembers of its voices and of
    their last steps, weighted by their shares.
    """
    flow = model.options.network_head == "flow"
    level = np.full((len(prompts), 1), options.context_noise if flow else 0.0, np.float32)
    ends, state = _listen(model, prompts, rngs, level)
    played = _play(model, ends[:, -1], state, level, rngs, options.temperature, chunk_steps)
    steps = _decoded(model, ends, played, rngs, options.residual)
    stack, channels = model.options.stack, prompts[0].bands.shape[1]
    return (np.minimum(to_frames(chunk, stack, channels), LOUDEST) for chunk in steps)


def _play(
    model: Continuation,
    latents: np.ndarray,
    state: list[np.ndarray],
    level: np.ndarray,
    rngs: Sequence[np.random.Generator],
    temperature: float,
    chunk_steps: int,
) -> Iterator[np.ndarray]:
    """Latents (batch, chunk_steps, components) without end, from the last ones and the state before them."""
    player = compiled_once(model, Player)
    while True:
        past, start = _noise(rngs, chunk_steps, model.options.components)
        with playing_fast():
            played, *state = player.predict_on_batch([latents, level, past, start * temperature, *state])
        latents = played[:, -1]
        yield played


def _decoded(
    model: Continuation,
    ends: np.ndarray,
    played: Iterator[np.ndarray],
    rngs: Sequence[np.random.Generator],
    residual: float,
) -> Iterator[np.ndarray]:
    """Latents in chunks to steps of frames in chunks (batch, steps, size), with their residual.

    ends: the latents before the first, (batch, at least `reach`, components). A step is decoded once the `reach` steps
    after it are there.
    """
    reach = model.options.reach
    noise = [rng.spawn(1)[0] for rng in rngs] if reach else []
    before = ends[:, ends.shape[1] - reach :]
    for latents in played:
        latents = np.concatenate([before, latents], axis=1)
        before = latents[:, -2 * reach :] if reach else before
        steps = latents.shape[1] - 2 * reach
        if steps > 0:
            decoded = model.decode(latents)
            yield decoded + np.stack([model.residual(steps, residual, rng) for rng in noise]) if reach else decoded


def _listen(
    model: Continuation, prompts: Sequence[Prompt], rngs: Sequence[np.random.Generator], level: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The prompts' last latents, and the state that the model is in before it hears the very last of them.

    The latents are as many as decoding looks back at, (batch, 1 or `reach`, components). Of a blend, the mixture.
    """
    parts = [[voice for voice in prompt.voices if voice[1]] or [(prompt, 1.0)] for prompt in prompts]
    voices = [voice for part in parts for voice, _ in part]
    owner = [i for i, part in enumerate(parts) for _ in part]
    shares = np.zeros((len(prompts), len(voices)), np.float32)
    shares[owner, range(len(voices))] = [share for part in parts for _, share in part]
    # The noise of what is heard comes from a stream of its own, so that what is played later does not depend on how
    # long a prompt is; the voices of a blend have the same, so that each is heard as it would be alone.
    streams = [rng.spawn(1)[0] for rng in rngs]
    ends, state = _listen_to_voices(model, voices, [copy.deepcopy(streams[i]) for i in owner], level[owner])
    return np.tensordot(shares, ends, 1), [shares @ part for part in state]


def _listen_to_voices(
    model: Continuation, prompts: Sequence[Prompt], rngs: Sequence[np.random.Generator], level: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    components, listener = model.options.components, compiled_once(model, Listener)
    encoded = [_encode(model, to_steps(prompt.bands, model.options.stack)) for prompt in prompts]
    state = [np.array(part) for part in model.initial_state(len(prompts))]
    for length in sorted({len(latents) for latents in encoded} - {1}):
        same = [i for i, latents in enumerate(encoded) if len(latents) == length]
        latents = np.stack([encoded[i][:-1] for i in same])
        noise = np.stack([rngs[i].standard_normal((length - 1, components), np.float32) for i in same])
        with playing_fast():
            after = listener.predict_on_batch([latents, level[same, :, None], noise])
        for whole, part in zip(state, after, strict=True):
            whole[same] = part
    kept = max(1, model.options.reach)
    return np.stack([np.pad(latents, ((kept, 0), (0, 0)), mode="edge")[-kept:] for latents in encoded]), state


def _noise(rngs: Sequence[np.random.Generator], steps: int, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Two normal arrays (batch, steps, components). Drawn step by step, so a chunk's length changes nothing."""
    both = np.stack([rng.standard_normal((steps, 2, components), np.float32) for rng in rngs])
    return both[:, :, 0], both[:, :, 1]


def _encode(model: Continuation, steps: np.ndarray) -> np.ndarray:
    kernel, bias = model.encoder.get_weights()
    return steps @ kernel + bias
