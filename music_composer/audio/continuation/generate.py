"""Feeds a network its own output: frames of prompts in, new frames without end out.

All samples of a batch run side by side in one compiled loop. The noise of each sample is drawn outside of the loop,
from a generator of its own. So a sample depends on its seed alone, and not on its neighbours or on the length of a
chunk.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

from music_composer.audio.models.network import Continuation
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.prompts import Prompt
from music_composer.audio.spectrogram import to_frames, to_steps
from music_composer.training.devices import compile_arguments, playing_fast

Tensor = Any
Loop = TypeVar("Loop", bound=keras.Model)
LOOPS = "_loops"  # attribute of a model that holds its compiled loops
LOUDEST = np.log(2.0)  # log of a band's magnitude; full scale is log(1)


class PromptEncoder(keras.Model):
    """Runs the network over prompts.

    Input: latents, noise (batch, steps, components) and noise_level (batch, 1, 1). Output: the state after the last
    step.
    """

    def __init__(self, model: Continuation) -> None:
        super().__init__()
        self.model = model
        self.compile(**compile_arguments())

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        return self.model.forward_sequence(*inputs)[1]


class SamplingLoop(keras.Model):
    """Generates one step for each step of noise.

    Input: the last latents (batch, components), noise_level (batch, 1), noise for the past and noise for the flow (both
    (batch, steps, components)), and the state before those latents. Output: new latents (batch, steps, components), and
    the state before the last of them.
    """

    def __init__(self, model: Continuation) -> None:
        super().__init__()
        self.model = model
        self.compile(**compile_arguments())

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        latents, noise_level, past_noise, flow_noise, *state = inputs
        steps = ops.shape(past_noise)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def advance(i: Tensor, played: Tensor, latents: Tensor, *state: Tensor) -> list[Tensor]:
            noise = ops.take(past_noise, i, axis=1), ops.take(flow_noise, i, axis=1)
            condition, after = self.model.forward_step(latents, noise_level, noise[0], list(state))
            latents = self.model.sample(condition, noise[1])
            # A mask writes the row: it is the only way to fill an array in a loop that all backends compile.
            return [i + 1, ops.where(ops.equal(index, i), latents[:, None], played), latents, *after]

        start = [ops.zeros((), dtype="int32"), ops.zeros_like(flow_noise), latents, *state]
        _, played, _, *state = ops.while_loop(lambda i, *rest: i < steps, advance, start)
        return [played, *state]


def compiled_once(model: Continuation, kind: type[Loop]) -> Loop:
    """Returns a compiled loop of the model. Its graph is built at first use and kept as long as the model."""
    loops: dict[type[Loop], Loop] = vars(model).get(LOOPS, {})
    if kind not in loops:
        # Bypasses Keras, which would track the loop as a layer of the model, while the model is a layer of the loop.
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
    """Encodes the prompts at once, and returns an iterator of new frames without end.

    Chunks have `chunk_steps` steps: float32 (batch, frames, channels, bands). The last `reach` steps of the first chunk
    come with the second, because decoding needs the steps after them. The same prompts and generator states give the
    same frames. A blend continues from the means of the states and of the last latents of its prompts, weighted by
    their shares.
    """
    flow = model.options.network_head == "flow"
    noise_level = np.full((len(prompts), 1), options.context_noise if flow else 0.0, np.float32)
    ends, state = _encode_prompts(model, prompts, rngs, noise_level)
    played = _sample_chunks(model, ends[:, -1], state, noise_level, rngs, options.temperature, chunk_steps)
    steps = _decoded(model, ends, played, rngs, options.residual)
    frames_per_step, channels = model.options.frames_per_step, prompts[0].bands.shape[1]
    return (np.minimum(to_frames(chunk, frames_per_step, channels), LOUDEST) for chunk in steps)


def _sample_chunks(
    model: Continuation,
    latents: np.ndarray,
    state: list[np.ndarray],
    noise_level: np.ndarray,
    rngs: Sequence[np.random.Generator],
    temperature: float,
    chunk_steps: int,
) -> Iterator[np.ndarray]:
    """Yields latents (batch, chunk_steps, components) without end, from the last latents and the state before them."""
    loop = compiled_once(model, SamplingLoop)
    while True:
        past, start = _noise(rngs, chunk_steps, model.options.components)
        with playing_fast():
            played, *state = loop.predict_on_batch([latents, noise_level, past, start * temperature, *state])
        latents = played[:, -1]
        yield played


def _decoded(
    model: Continuation,
    ends: np.ndarray,
    played: Iterator[np.ndarray],
    rngs: Sequence[np.random.Generator],
    residual: float,
) -> Iterator[np.ndarray]:
    """Decodes chunks of latents to chunks of steps (batch, steps, size), and adds the residual.

    ends: the latents before the first chunk, (batch, at least `reach`, components). A step is decoded once the `reach`
    steps after it exist.
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


def _encode_prompts(
    model: Continuation, prompts: Sequence[Prompt], rngs: Sequence[np.random.Generator], noise_level: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns the last latents of the prompts, and the state before the very last of them.

    The latents are (batch, 1 or `reach`, components): as many as decoding looks back. Those of a blend are averaged.
    """
    parts = [[voice for voice in prompt.blended if voice[1]] or [(prompt, 1.0)] for prompt in prompts]
    voices = [voice for part in parts for voice, _ in part]
    owner = [i for i, part in enumerate(parts) for _ in part]
    shares = np.zeros((len(prompts), len(voices)), np.float32)
    shares[owner, range(len(voices))] = [share for part in parts for _, share in part]
    # The noise on the prompt has a generator of its own, so that the noise of new music does not depend on the length
    # of the prompt. Both prompts of a blend get the same noise, so that each is encoded as it would be alone.
    streams = [rng.spawn(1)[0] for rng in rngs]
    ends, state = _encode_separately(model, voices, [copy.deepcopy(streams[i]) for i in owner], noise_level[owner])
    return np.tensordot(shares, ends, 1), [shares @ part for part in state]


def _encode_separately(
    model: Continuation, prompts: Sequence[Prompt], rngs: Sequence[np.random.Generator], noise_level: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns what `_encode_prompts` does, for prompts that are no blends."""
    components, prompt_encoder = model.options.components, compiled_once(model, PromptEncoder)
    encoded = [_encode(model, to_steps(prompt.bands, model.options.frames_per_step)) for prompt in prompts]
    state = [np.array(part) for part in model.initial_state(len(prompts))]
    # A batch holds prompts of one length.
    for length in sorted({len(latents) for latents in encoded} - {1}):
        same = [i for i, latents in enumerate(encoded) if len(latents) == length]
        latents = np.stack([encoded[i][:-1] for i in same])
        noise = np.stack([rngs[i].standard_normal((length - 1, components), np.float32) for i in same])
        with playing_fast():
            after = prompt_encoder.predict_on_batch([latents, noise_level[same, :, None], noise])
        for whole, part in zip(state, after, strict=True):
            whole[same] = part
    kept = max(1, model.options.reach)
    return np.stack([np.pad(latents, ((kept, 0), (0, 0)), mode="edge")[-kept:] for latents in encoded]), state


def _noise(rngs: Sequence[np.random.Generator], steps: int, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns two normal arrays (batch, steps, components), drawn step by step so that chunk length changes nothing."""
    both = np.stack([rng.standard_normal((steps, 2, components), np.float32) for rng in rngs])
    return both[:, :, 0], both[:, :, 1]


def _encode(model: Continuation, steps: np.ndarray) -> np.ndarray:
    kernel, bias = model.encoder.get_weights()
    return steps @ kernel + bias
