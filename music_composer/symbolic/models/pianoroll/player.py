"""Plays the piano-roll model: word by word, within the constraints.

All samples of a batch run side by side in one compiled loop; `models/particles.py` calls it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import silent_state
from music_composer.symbolic.key_history import decay_factors, pitch_class_matrix
from music_composer.symbolic.models.particles import Steps
from music_composer.symbolic.models.pianoroll.network import LayerStates, Pianoroll
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS
from music_composer.symbolic.models.sampling import NEVER, sample
from music_composer.training.devices import compile_arguments
from music_composer.values import OCTAVE, PITCHES

Tensor = Any


class State(NamedTuple):
    """What the player carries from step to step.

    keys: of the last step, (batch, KEYS). key_history: (batch, channels, 12). age: steps that the last chord has
    lasted, (batch,). layers: h and c of each LSTM layer, (batch, neurons) each.
    """

    keys: Any
    key_history: Any
    age: Any
    layers: LayerStates


class StepInputs(NamedTuple):
    """The player's inputs for one step: see `PianorollPlayer`."""

    uniform: Tensor
    clock: Tensor
    allowed: Tensor
    fixed: Tensor
    max_new_notes: Tensor


class PianorollPlayer(keras.Model):
    """Plays a step for each row of random numbers.

    Input shape: uniform (batch, steps, 1), random numbers in 0 to 1; clock (batch, steps, clock); allowed and fixed
    (batch, steps, 128), 0 or 1; max_new_notes int (batch, steps), besides the fixed ones; sampling (batch, 3), see
    `sampling_parameters`; stability (batch,), the fewest steps that a chord lasts; and a `State`.
    Output: `Steps` with one output, keys (batch, steps, KEYS), 0 or 1.

    Where no word of the vocabulary satisfies the constraints, the fixed notes sound alone.
    """

    draw_shape = (1,)

    def __init__(self, network: Pianoroll) -> None:
        super().__init__()
        self.network = network
        self.table = table = network.table
        self.decay = decay_factors(network.options.half_lives)
        self.pitch_classes = pitch_class_matrix(PITCHES)
        self.active = table[:, :PITCHES] + table[:, PITCHES:]  # the active pitches of each word
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> State:
        """The state before the first step, NumPy arrays."""
        return State(
            np.zeros((batch, KEYS), np.float32),
            np.zeros((batch, len(self.decay), OCTAVE), np.float32),
            np.full(batch, KEYS, np.float32),  # older than any stability: the first chord may come at once
            tuple(silent_state(self.network.lstms, batch)),
        )

    def call(self, inputs: list[Any]) -> Steps:
        *step_arrays, sampling, stability, state = inputs
        state = State(*state)
        batch_inputs = StepInputs(*step_arrays)
        steps = ops.shape(batch_inputs.clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, keys: Tensor, log_terms: Tensor, state: State) -> list[Any]:
            now = StepInputs(*(ops.take(array, i, axis=1) for array in batch_inputs))
            state, terms = self._step(now, sampling, stability, state)
            # Written by mask: the one way to fill an array in a loop that every backend compiles.
            keys = ops.where(index == i, state.keys[:, None], keys)
            log_terms = ops.where(index == i, terms[:, None], log_terms)
            return [i + 1, keys, log_terms, state]

        blank = ops.concatenate([batch_inputs.allowed, batch_inputs.allowed], axis=-1) * 0
        start = [ops.zeros((), dtype="int32"), blank, blank[..., :2], state]
        _, keys, log_terms, state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return Steps((keys,), log_terms[..., 0], log_terms[..., 1], state)

    def _step(self, now: StepInputs, sampling: Tensor, stability: Tensor, state: State) -> tuple[State, Tensor]:
        """One step: the state after it, and log mass and log probability, (batch, 2)."""
        active_before = state.keys[:, :PITCHES] + state.keys[:, PITCHES:]
        log_probs, layers = self.network.step(state.keys, state.key_history, now.clock, tuple(state.layers))
        possible = self._possible(log_probs, now)
        any_possible = ops.any(possible, axis=-1, keepdims=True)
        # Where no word is possible, any is drawn: it is replaced below.
        word, log_mass, log_prob = sample(log_probs, possible | ~any_possible, sampling, now.uniform)
        keys = ops.take(ops.convert_to_tensor(self.table), word[:, 0], axis=0)
        # A fixed note that was silent begins; one that was active is held.
        fixed_alone = ops.concatenate([now.fixed * (1 - active_before), now.fixed * active_before], axis=-1)
        keys = ops.where(any_possible, keys, fixed_alone)
        keys = ops.where(self._holds(now, active_before, state.age, stability)[:, None], _held(active_before), keys)
        active = keys[:, :PITCHES] + keys[:, PITCHES:]
        # A repeated onset is a change, too.
        changed = ops.any(keys[:, :PITCHES] > 0, axis=-1) | ops.any(active != active_before, axis=-1)
        log_terms = ops.where(any_possible, ops.stack([log_mass, log_prob], axis=-1), 0.0)
        # As `key_history_of` does step by step.
        key_history = state.key_history * self.decay + ops.matmul(active, self.pitch_classes)[:, None]
        return State(keys, key_history, ops.where(changed, 1.0, state.age + 1), layers), log_terms

    def _possible(self, log_probs: Tensor, now: StepInputs) -> Tensor:
        """The words that satisfy the constraints, bool (batch, words + 1).

        Matrix products count, for every word, its missing fixed notes, its notes that are not allowed, and its new
        notes. The network has excluded words that hold a silent pitch.
        """
        words, max_new_notes = self.active.T, ops.cast(now.max_new_notes, "float32")[:, None]
        possible = ops.matmul(now.fixed, 1 - words) < 0.5
        possible &= ops.matmul((1 - now.allowed) * (1 - now.fixed), words) < 0.5
        possible &= ops.matmul(1 - now.fixed, words) < max_new_notes + 0.5
        possible &= log_probs > NEVER / 2
        unknown = ops.zeros_like(possible[:, :1])  # the last entry is no word that can be played
        return ops.concatenate([possible[:, :-1], unknown], axis=-1)

    def _holds(self, now: StepInputs, active_before: Tensor, age: Tensor, stability: Tensor) -> Tensor:
        """Whether the last chord is too young to change, and the constraints let it continue, bool (batch,)."""
        violates = (now.fixed > active_before) | ((active_before > now.fixed) & (now.allowed < 1))
        can_hold = ~ops.any(violates, axis=-1)
        new_notes = ops.sum(active_before * (1 - now.fixed), axis=-1)
        can_hold &= new_notes < ops.cast(now.max_new_notes, "float32") + 0.5
        return (age < stability) & can_hold


def _held(active: Tensor) -> Tensor:
    """The keys of a chord that is held: (batch, 128) -> (batch, KEYS)."""
    return ops.concatenate([ops.zeros_like(active), active], axis=-1)
