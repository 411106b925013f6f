"""Plays the biaxial model: note by note from the lowest up, step by step, within the constraints.

All samples of a batch run side by side in one compiled loop; `models/particles.py` calls it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import stack_step
from music_composer.symbolic.key_history import decay_factors, pitch_class_matrix
from music_composer.symbolic.models.biaxial.features import COUNT_SCALE, LOWER_FEATURES, before_features, features
from music_composer.symbolic.models.biaxial.network import Biaxial
from music_composer.symbolic.models.biaxial.notes import BITS
from music_composer.symbolic.models.particles import Steps
from music_composer.values import OCTAVE

Tensor = Any
EPSILON = 1e-30  # added to probabilities before the logarithm
INFINITY = float("inf")  # above every logit
# The adaptive mode: with fewer active notes the exponent falls by a step, else it returns to 1 by a share.
ADAPTIVE_MIN_NOTES, ADAPTIVE_FALL, ADAPTIVE_RETURN = 2, 0.02, 0.3


class State(NamedTuple):
    """What the player carries from step to step.

    bits: of the last step, (batch, notes, 2). key_history: (batch, channels, 12). exponent: of the adaptive mode,
    (batch,). layers: h and c of each layer along time, (batch, notes, neurons) each.
    """

    bits: Any
    key_history: Any
    exponent: Any
    layers: tuple[Any, ...]


class StepInputs(NamedTuple):
    """The player's inputs for one step: see `BiaxialPlayer`."""

    uniform: Tensor
    clock: Tensor
    allowed: Tensor
    fixed: Tensor
    max_new_notes: Tensor


class SampleInputs(NamedTuple):
    """The player's inputs for each sample, (batch,) each: see `BiaxialPlayer`."""

    temperature: Tensor
    conservativity: Tensor
    adaptive: Tensor
    certain: Tensor


class BiaxialPlayer(keras.Model):
    """Plays a step for each row of random numbers.

    Input shape: uniform (batch, steps, notes, 2), random numbers in 0 to 1; clock (batch, steps, clock); allowed and
    fixed (batch, steps, notes), 0 or 1; max_new_notes int (batch, steps), besides the fixed ones; temperature (batch,);
    conservativity (batch,), the exponent of the probability that a note is active; adaptive (batch,), 0 or 1; certain
    (batch,), the probability above which a choice is made without drawing; and a `State`.
    Output: `Steps` with one output, bits (batch, steps, notes, 2), 0 or 1.
    """

    def __init__(self, network: Biaxial, jit_compile: bool | str = "auto") -> None:
        super().__init__()
        self.network = network
        self.draw_shape = (network.options.notes, BITS)
        self.decay = decay_factors(network.options.half_lives)
        self.pitch_classes = pitch_class_matrix(network.options.notes)
        self.compile(jit_compile=jit_compile)

    def initial_state(self, batch: int) -> State:
        """The state before the first step, NumPy arrays."""
        options = self.network.options
        layers = self.network.time_state(batch * options.notes)
        return State(
            np.zeros((batch, options.notes, BITS), np.float32),
            np.zeros((batch, len(options.half_lives), OCTAVE), np.float32),
            np.ones(batch, np.float32),
            tuple(array.reshape(batch, options.notes, -1) for array in layers),
        )

    def call(self, inputs: list[Any]) -> Steps:
        batch_inputs, per_sample, state = StepInputs(*inputs[:5]), SampleInputs(*inputs[5:9]), State(*inputs[9])
        steps = ops.shape(batch_inputs.clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1, 1))

        def play(i: Tensor, bits: Tensor, log_terms: Tensor, state: State) -> list[Any]:
            now = StepInputs(*(ops.take(array, i, axis=1) for array in batch_inputs))
            # The last step enters together with the clock of the new one, as in training.
            hidden, layers = self._along_time(now.clock, state)
            exponent = per_sample.conservativity * ops.where(per_sample.adaptive > 0, state.exponent, 1.0)
            new, terms = self._along_notes(hidden, state.bits, now, per_sample, exponent)
            # Written by mask: the one way to fill an array in a loop that every backend compiles.
            bits = ops.where(index == i, new[:, None], bits)
            log_terms = ops.where(index[..., 0] == i, terms[:, None], log_terms)
            # As `key_history_of` does step by step.
            key_history = state.key_history * self.decay + ops.matmul(new[..., 0], self.pitch_classes)[:, None]
            return [i + 1, bits, log_terms, State(new, key_history, _adapted(state.exponent, new), layers)]

        uniform = batch_inputs.uniform
        start = [ops.zeros((), dtype="int32"), ops.zeros_like(uniform), ops.zeros_like(uniform[:, :, 0]), state]
        _, bits, log_terms, state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return Steps((bits,), log_terms[..., 0], log_terms[..., 1], state)

    def _along_time(self, clock: Tensor, state: State) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Runs the last step through the layers along time: (batch, notes, neurons), and the layers' states."""
        batch, notes = ops.shape(state.bits)[0], self.network.options.notes
        x = features(state.bits[:, None], state.key_history[:, None], clock[:, None], self.network.options.lowest)
        x = ops.reshape(x, (batch * notes, x.shape[-1]))
        flat = [ops.reshape(array, (batch * notes, array.shape[-1])) for array in state.layers]
        x, after = stack_step(self.network.time, x, flat, residual=False)
        layers = tuple(ops.reshape(array, (batch, notes, array.shape[-1])) for array in after)
        return ops.reshape(x, (batch, notes, x.shape[-1])), layers

    def _along_notes(
        self, hidden: Tensor, before: Tensor, now: StepInputs, per_sample: SampleInputs, exponent: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Draws the bits of a step, (batch, notes, 2); with log mass and log probability, (batch, 2)."""
        network, notes = self.network, self.network.options.notes
        first, *others = network.notes
        batch = ops.shape(hidden)[0]
        # What does not depend on the lower notes is computed for all notes at once: what the first layer makes of the
        # hidden state, and the logits above which a note is active, and has an onset.
        kernel, recurrent, bias = (ops.convert_to_tensor(weights) for weights in _lstm_weights(first))
        projected = ops.matmul(ops.concatenate([hidden, before_features(before)], axis=-1), kernel[:-LOWER_FEATURES])
        projected = projected + bias
        sequential_kernel = ops.concatenate([kernel[-LOWER_FEATURES:], recurrent], axis=0)
        limits = _logit_limits(before, now, per_sample, exponent)
        position = ops.reshape(ops.arange(notes), (1, notes, 1))
        starts = [ops.tile(part[None], (batch, 1)) for start in network.starts[len(network.time) :] for part in start]

        def choose(i: Tensor, lower: Tensor, drawn: Tensor, room: Tensor, *state: Tensor) -> list[Tensor]:
            x = ops.concatenate([lower, state[0]], axis=-1)
            h, c = _lstm_gates(ops.take(projected, i, axis=1) + ops.matmul(x, sequential_kernel), state[1])
            x, after = stack_step(others, h, list(state[2:]), residual=False) if others else (h, [])
            logits, limit = network.outlet(x), ops.take(limits, i, axis=1)
            active = logits[:, 0] > ops.where(room > 0, limit[:, 0], limit[:, 1])
            onset = active & (logits[:, 1] > limit[:, 2])
            bits = ops.cast(ops.stack([active, onset], axis=-1), "float32")
            drawn = ops.where(position == i, ops.concatenate([bits, logits], axis=-1)[:, None], drawn)
            # The features of the next note: see `lower_features`.
            lower = ops.concatenate([bits, lower[:, BITS:] + bits[:, :1] / COUNT_SCALE], axis=-1)
            # The second limit is -inf for fixed notes, which use no room.
            is_new = active & (limit[:, 1] > 0)
            return [i + 1, lower, drawn, room - ops.cast(is_new, "int32"), h, c, *after]

        blank = ops.zeros_like(ops.concatenate([before, before], axis=-1))
        start = [ops.zeros((), dtype="int32"), blank[:, 0, :LOWER_FEATURES], blank, now.max_new_notes, *starts]
        _, _, drawn, *_ = ops.while_loop(lambda i, *rest: i < notes, choose, start)
        # The logits are kept beside the bits, so that log terms are computed for all notes at once.
        bits, logits = ops.split(drawn, 2, axis=-1)
        probs = ops.exp(-exponent[:, None] * ops.softplus(-logits[..., 0] / per_sample.temperature[:, None]))
        return bits, _log_terms(probs, bits[..., 0] > 0, now, per_sample.certain[:, None])


def _logit_limits(before: Tensor, now: StepInputs, per_sample: SampleInputs, exponent: Tensor) -> Tensor:
    """The logits above which a note is active, is active when there is no room, and has an onset: (batch, notes, 3)."""
    certain = per_sample.certain[:, None, None]
    uniform = ops.clip(now.uniform, 1 - certain, certain)  # top-p of two choices
    no_room = ops.where(now.fixed > 0, -INFINITY, INFINITY)
    drawn = _logit_above(uniform[..., 0], exponent[:, None])
    active = ops.where((now.fixed > 0) | (now.allowed == 0), no_room, drawn)
    # A note that was silent has an onset in any case.
    onset = ops.where(before[..., 0] > 0, _logit_above(uniform[..., 1], 1.0), -INFINITY)
    return ops.stack([active, no_room, onset], axis=-1) * per_sample.temperature[:, None, None]


def _adapted(exponent: Tensor, bits: Tensor) -> Tensor:
    """The exponent of the adaptive mode after a step (`gen_adaptive` of biaxial-rnn-music-composition).

    With few active notes it falls, so that more follow; otherwise it returns to 1.
    """
    active = ops.sum(bits[..., 0], axis=-1)
    lower = ops.maximum(ops.minimum(exponent, 1.0) - ADAPTIVE_FALL, 0.0)
    return ops.where(active < ADAPTIVE_MIN_NOTES, lower, exponent + (1 - exponent) * ADAPTIVE_RETURN)


def _logit_above(uniform: Tensor, exponent: Tensor) -> Tensor:
    """The logit at which sigmoid(logit) ** exponent equals a random number: -inf to inf."""
    log_prob = ops.log(uniform) / exponent
    return log_prob - ops.log(-ops.expm1(log_prob))


def _lstm_weights(lstm: keras.layers.LSTM) -> tuple[Any, Any, Any]:
    return lstm.cell.kernel, lstm.cell.recurrent_kernel, lstm.cell.bias


def _lstm_gates(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """One LSTM step from the gates' inputs, (batch, 4 * units), in Keras' order."""
    i, f, new, o = ops.split(z, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(new)
    return ops.sigmoid(o) * ops.tanh(c), c


def _log_terms(probs: Tensor, active: Tensor, now: StepInputs, certain: Tensor) -> Tensor:
    """Log mass and log probability of a step, (batch, 2): see `Steps`.

    probs: of each note to be active, (batch, notes). active: bool, the same shape. certain: (batch, 1).
    """
    new = ops.cast(active & (now.fixed == 0), "int32")
    room = now.max_new_notes[:, None] - ops.cumsum(new, axis=1) + new
    # Notes without a choice: fixed, not allowed, or without room left.
    free = (now.fixed == 0) & (now.allowed > 0) & (room > 0)
    log_mass = ops.where(free, 0.0, ops.log(ops.where(now.fixed > 0, probs, 1 - probs) + EPSILON))
    drawn = ops.where(probs >= certain, 1.0, ops.where(probs <= 1 - certain, 0.0, probs))
    log_probs = ops.where(free, ops.log(ops.where(active, drawn, 1 - drawn) + EPSILON), 0.0)
    return ops.stack([ops.sum(log_mass, axis=-1), ops.sum(log_probs, axis=-1)], axis=-1)
