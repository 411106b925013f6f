"""Networks whose head is told more of the past, and a loss that weighs turns, as variants for continuation_trial.py.

Each changes the running process, as those of continuation_variants.py do. The last steps as they were played travel in
the state of the network, behind that of its LSTM layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.audio import pca
from music_composer.audio.models.heads import FlowHead
from music_composer.audio.models.network import Continuation
from music_composer.audio.spectrogram import to_steps
from music_composer.layers.batch_noise import BatchNoise

CLEAN_STEPS = 10  # that the short path shows as they are
CLEAN_WIDTH = 128
CLEAN_DROPPED = 0.15  # share of the windows that learn without that path
KEY_SPANS = (1, 6, 24)  # steps that a key is the mean of
KEY_COMPONENTS = 24
REMEMBERED = 24_000  # steps at most: 14 minutes
NEIGHBOURS = 2
SAME_PLACE = 300  # steps on either side of the most alike place, which is the same one while the network learns
TURN_STEPS = 4
LIGHTEST, HEAVIEST = 0.5, 4.0

Told = Callable[[Continuation, Any, bool], Any]


def turn_weighted() -> None:
    """A step counts by how far the latents have moved in four steps, over the window's mean: half to four times."""
    plain = FlowHead.loss

    def loss(self: FlowHead, hidden: Any, target: Any, seed: Any) -> Any:
        moved = ops.norm(target[:, TURN_STEPS:] - target[:, :-TURN_STEPS], axis=-1)
        weight = ops.clip(moved / (ops.mean(moved, axis=1, keepdims=True) + 1e-6), LIGHTEST, HEAVIEST)
        weight = ops.concatenate([ops.ones_like(target[:, :TURN_STEPS, 0]), weight], axis=1)
        return plain(self, hidden, target, seed) * weight / ops.mean(weight)

    FlowHead.loss = loss  # type: ignore[method-assign, assignment]


def two_paths() -> None:
    """A noise level for each step in place of each window, and ten steps without noise for the head (Rouard 2025)."""
    build = Continuation.build

    def build_with_path(self: Continuation, shape: Any = None) -> None:
        self.clean = self.add_weight((CLEAN_STEPS * self.options.components, CLEAN_WIDTH), name="clean")
        build(self, shape)

    def told(self: Continuation, line: Any, training: bool) -> Any:
        found = ops.silu(ops.matmul(_windows(line, CLEAN_STEPS), ops.convert_to_tensor(self.clean)))
        if training:
            kept = keras.random.uniform((ops.shape(line)[0], 1, 1), seed=self.noise_seed) > CLEAN_DROPPED
            found = found * ops.cast(kept, found.dtype)
        return found

    Continuation.build = build_with_path  # type: ignore[method-assign, assignment]
    _tell_more(told, lambda components: CLEAN_WIDTH, CLEAN_STEPS)

    def call(self: Continuation, inputs: list[Any], training: bool = False) -> list[Any]:
        windows, *state = inputs
        latents = self.encoder(windows)
        past, target = latents[:, :-1], latents[:, 1:]
        level = self.options.training_noise * keras.random.uniform((*ops.shape(past)[:2], 1), seed=self.noise_seed)
        noise = keras.random.normal(ops.shape(past), seed=self.noise_seed)
        hidden, after = self.forward_sequence(past, level, noise, training, state)
        return [self.head.loss(hidden, target, BatchNoise(self.noise_seed)), *after]

    Continuation.call = call  # type: ignore[method-assign, assignment]


def recalled() -> None:
    """The head is told what followed the two most alike pasts of the training music, other than its own place."""
    build, call, set_encoding = Continuation.build, Continuation.call, Continuation.set_encoding
    fit = pca.fit_encoding
    learnt: list[Any] = []

    def fit_and_keep(music: Any, *arguments: Any) -> Any:
        learnt[:] = music
        return fit(music, *arguments)

    def build_with_memory(self: Continuation, shape: Any = None) -> None:
        width = KEY_COMPONENTS * len(KEY_SPANS)
        self.keys = self.add_weight((REMEMBERED, width), "zeros", trainable=False, name="keys")
        self.followed = self.add_weight(
            (REMEMBERED, self.options.components), "zeros", trainable=False, name="followed"
        )
        build(self, shape)

    def set_encoding_and_memory(self: Continuation, encoding: Any, decoder: Any = None) -> None:
        set_encoding(self, encoding, decoder)
        steps = to_steps(
            np.concatenate([np.asarray(part[:], np.float32) for part in learnt]), self.options.frames_per_step
        )
        latents = (steps - encoding.mean) @ encoding.forward
        keys = np.full(self.keys.shape, 1e3, np.float32)  # no key of music is as far out
        count = min(len(latents) - 1, REMEMBERED)
        keys[:count] = ops.convert_to_numpy(_keys(np.pad(latents, ((max(KEY_SPANS), 0), (0, 0)))[None]))[0][:count]
        followed = np.zeros(self.followed.shape, np.float32)
        followed[:count] = latents[1 : count + 1]
        self.keys.assign(keys)
        self.followed.assign(followed)

    def told(self: Continuation, line: Any, training: bool) -> Any:
        query, keys = _keys(line), ops.convert_to_tensor(self.keys)
        near = 2 * ops.matmul(query, ops.transpose(keys)) - ops.sum(ops.square(keys), axis=-1)
        place = ops.arange(REMEMBERED)
        if getattr(self, "learning", False):
            own = ops.argmax(near, axis=-1)[..., None]
            near = ops.where(ops.abs(place - ops.cast(own, place.dtype)) <= SAME_PLACE, -1e30, near)
        found = []
        for _ in range(NEIGHBOURS):
            best = ops.argmax(near, axis=-1)
            found.append(ops.take(ops.convert_to_tensor(self.followed), best, axis=0))
            apart = ops.abs(place - ops.cast(best[..., None], place.dtype)) <= max(KEY_SPANS)
            near = ops.where(apart, -1e30, near)
        return ops.stop_gradient(ops.concatenate(found, axis=-1))

    def call_without_own_place(self: Continuation, inputs: list[Any], training: bool = False) -> list[Any]:
        object.__setattr__(self, "learning", True)
        try:
            return call(self, inputs, training)
        finally:
            object.__setattr__(self, "learning", False)

    pca.fit_encoding = fit_and_keep  # type: ignore[assignment]
    Continuation.build = build_with_memory  # type: ignore[method-assign, assignment]
    Continuation.set_encoding = set_encoding_and_memory  # type: ignore[method-assign, assignment]
    Continuation.call = call_without_own_place  # type: ignore[method-assign, assignment]
    _tell_more(told, lambda components: NEIGHBOURS * components, max(KEY_SPANS))


def _tell_more(told: Told, width: Callable[[int], int], recent: int) -> None:
    """Tells the head more: `told` of the latents, (batch, recent + steps, components) -> (batch, steps, width)."""
    listen, listen_step, silent = Continuation.forward_sequence, Continuation.forward_step, Continuation.initial_state
    build_head = FlowHead.build

    def build(self: FlowHead, shape: Any) -> None:
        build_head(self, (None, shape[-1] + width(self.components)))

    def more(self: Continuation, latents: Any, before: Any, training: bool) -> tuple[Any, Any]:
        shape = ops.shape(latents)
        line = ops.concatenate([ops.reshape(before, (shape[0], recent, shape[-1])), latents], axis=1)
        return told(self, line, training), ops.reshape(line[:, -recent:], (shape[0], recent * self.options.components))

    def listen_more(
        self: Continuation, latents: Any, level: Any, noise: Any, training: bool = False, state: Any = None
    ) -> tuple[Any, list[Any]]:
        before = ops.zeros((ops.shape(latents)[0], recent * self.options.components))
        own, before = (None, before) if state is None else (state[:-1], state[-1])
        hidden, after = listen(self, latents, level, noise, training, own)
        found, before = more(self, latents, before, training)
        return ops.concatenate([hidden, found], axis=-1), [*after, before]

    def listen_more_step(self: Continuation, latents: Any, level: Any, noise: Any, state: Any) -> tuple[Any, list[Any]]:
        hidden, after = listen_step(self, latents, level, noise, state[:-1])
        found, before = more(self, latents[:, None], state[-1], False)
        return ops.concatenate([hidden, found[:, 0]], axis=-1), [*after, before]

    def silent_with_line(self: Continuation, batch: int) -> list[np.ndarray]:
        return [*silent(self, batch), np.zeros((batch, recent * self.options.components), np.float32)]

    FlowHead.build = build  # type: ignore[method-assign, assignment]
    Continuation.forward_sequence = listen_more  # type: ignore[method-assign, assignment]
    Continuation.forward_step = listen_more_step  # type: ignore[method-assign, assignment]
    Continuation.initial_state = silent_with_line  # type: ignore[method-assign, assignment]


def _windows(line: Any, count: int) -> Any:
    """The last latents of each step, (batch, count + steps, components) -> (batch, steps, count * components)."""
    steps = ops.shape(line)[1] - count
    return ops.concatenate([line[:, i + 1 : i + 1 + steps] for i in range(count)], axis=-1)


def _keys(line: Any) -> Any:
    """(batch, longest span + steps, components) -> (batch, steps, spans * KEY_COMPONENTS): means of the last steps."""
    longest = max(KEY_SPANS)
    steps = line.shape[1] - longest if line.shape[1] else ops.shape(line)[1] - longest
    leading = line[..., :KEY_COMPONENTS]
    sums = ops.cumsum(ops.pad(leading, ((0, 0), (1, 0), (0, 0))), axis=1)
    ends = sums[:, longest + 1 : longest + 1 + steps]
    return ops.concatenate(
        [(ends - sums[:, longest + 1 - span : longest + 1 - span + steps]) / span for span in KEY_SPANS], axis=-1
    )


PAST_VARIANTS: dict[str, Callable[[], None]] = {
    "turn-weighted": turn_weighted,
    "two-paths": two_paths,
    "recalled": recalled,
}
