"""Plays the polyphony model: event by event, step by step, within the constraints.

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
from music_composer.symbolic.models.polyphony.events import CONTINUED, END, NEW, START, STEP_END
from music_composer.symbolic.models.polyphony.network import LayerStates, Polyphony
from music_composer.symbolic.models.sampling import sample
from music_composer.training.devices import compile_arguments
from music_composer.values import OCTAVE, PITCHES

Tensor = Any
FREE, HELD = 0, 1  # kinds of fixed notes; any other number is an onset


class State(NamedTuple):
    """What the player carries from step to step.

    event: the last event, int (batch,). active: the notes of the last step, (batch, 128). key_history: (batch,
    channels, 12). layers: h and c of each LSTM layer, (batch, neurons) each.
    """

    event: Any
    active: Any
    key_history: Any
    layers: LayerStates


class StepInputs(NamedTuple):
    """The player's inputs for one step: see `PolyphonyPlayer`."""

    uniform: Tensor
    clock: Tensor
    allowed: Tensor
    fixed: Tensor
    max_new_notes: Tensor


class PolyphonyPlayer(keras.Model):
    """Plays a step for each row of random numbers.

    Input shape: uniform (batch, steps, max_events), random numbers in 0 to 1; clock (batch, steps, clock); allowed
    (batch, steps, 128), 0 or 1; fixed int (batch, steps, 128): FREE, HELD or an onset; max_new_notes int (batch,
    steps), besides the fixed ones; sampling (batch, 3), see `sampling_parameters`; and a `State`.
    Output: `Steps` whose outputs are bool (batch, steps, 128): active notes, and onsets.

    Pitches that are not allowed are never active, fixed ones always are. END is never played: constraints give the
    length of a piece.
    """

    def __init__(self, network: Polyphony) -> None:
        super().__init__()
        self.network, self.max_events = network, network.options.most + 1
        self.draw_shape = (self.max_events,)
        self.decay = decay_factors(network.options.half_lives)
        self.pitch_classes = pitch_class_matrix(PITCHES)
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> State:
        """The state before the first step, NumPy arrays."""
        return State(
            np.full((batch,), START, np.int32),
            np.zeros((batch, PITCHES), np.float32),
            np.zeros((batch, len(self.decay), OCTAVE), np.float32),
            tuple(silent_state(self.network.lstms, batch)),
        )

    def call(self, inputs: list[Any]) -> Steps:
        *step_arrays, sampling, state = inputs
        state = State(*state)
        batch_inputs = StepInputs(*step_arrays)
        steps = ops.shape(batch_inputs.clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, active: Tensor, onset: Tensor, log_terms: Tensor, state: State) -> list[Any]:
            now = StepInputs(*(ops.take(array, i, axis=1) for array in batch_inputs))
            notes, onsets, terms, state = self._step(now, sampling, state)
            # Written by mask: the one way to fill an array in a loop that every backend compiles.
            active, onset, log_terms = (
                ops.where(index == i, row[:, None], whole)
                for row, whole in ((notes, active), (onsets, onset), (terms, log_terms))
            )
            return [i + 1, active, onset, log_terms, state]

        blank = ops.zeros_like(batch_inputs.allowed)
        start = [ops.zeros((), dtype="int32"), blank, blank, ops.zeros_like(batch_inputs.allowed[..., :2]), state]
        _, active, onset, log_terms, state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return Steps((active > 0, onset > 0), log_terms[..., 0], log_terms[..., 1], state)

    def _step(self, now: StepInputs, sampling: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor, State]:
        """One step: active notes and onsets, (batch, 128) each, log mass and log probability, (batch, 2), the state."""
        pitch, key_features = ops.arange(PITCHES)[None], self.network.tonality.features(state.key_history)

        def choose(
            k: Tensor,
            event: Tensor,
            active: Tensor,
            onset: Tensor,
            log_terms: Tensor,
            room: Tensor,
            layers: LayerStates,
        ) -> list[Any]:
            # Samples that have ended their step wait for the others: for them nothing changes.
            running = (k == 0) | (event != STEP_END)
            log_probs, after = self.network.step(event, state.active, key_features, now.clock, tuple(layers))
            possible = self._possible(event, k, state.active, now, room)
            uniform = ops.take(now.uniform, k, axis=1)[:, None]
            chosen, log_mass, log_prob = sample(log_probs, possible, sampling, uniform)
            chosen = chosen[:, 0]
            note = running[:, None] & (chosen[:, None] >= NEW) & ((chosen[:, None] - NEW) % PITCHES == pitch)
            note_onset = note & (chosen[:, None] < CONTINUED)
            # Fixed notes do not use up the room for new ones.
            is_new = ops.any(note & (now.fixed == FREE), axis=-1)
            log_terms += ops.where(running[:, None], ops.stack([log_mass, log_prob], axis=-1), 0.0)
            layers = tuple(ops.where(running[:, None], new, old) for new, old in zip(after, layers, strict=True))
            active, onset = active + ops.cast(note, active.dtype), onset + ops.cast(note_onset, onset.dtype)
            event = ops.where(running, chosen, event)
            return [k + 1, event, active, onset, log_terms, room - ops.cast(is_new, "int32"), layers]

        def continues(k: Tensor, event: Tensor, *rest: Tensor) -> Tensor:
            return (k == 0) | ((k < self.max_events) & ops.any(event != STEP_END))

        blank = ops.zeros_like(now.allowed)
        start = [ops.zeros((), dtype="int32"), state.event, blank, blank, blank[:, :2], now.max_new_notes, state.layers]
        _, event, active, onset, log_terms, _, layers = ops.while_loop(continues, choose, start)
        # As `key_history_of` does step by step.
        key_history = state.key_history * self.decay + ops.matmul(active, self.pitch_classes)[:, None]
        return active, onset, log_terms, State(event, active, key_history, tuple(layers))

    def _possible(self, event: Tensor, k: Tensor, active_before: Tensor, now: StepInputs, room: Tensor) -> Tensor:
        """The events that may follow, bool (batch, EVENTS)."""
        pitch = ops.arange(PITCHES)[None]
        last = ops.where((k > 0) & (event >= NEW), (event - NEW) % PITCHES, PITCHES)[:, None]
        # A fixed note cannot be skipped on the way down, and the step cannot end before the last of them.
        next_fixed = ops.max(ops.where((now.fixed != FREE) & (pitch < last), pitch, -1), axis=-1, keepdims=True)
        # A new note lies between the last one and the next fixed one.
        new = (now.allowed > 0) & (room[:, None] > 0) & (pitch > next_fixed) & (pitch < last)
        forced = pitch == next_fixed
        forced_held = forced & (now.fixed == HELD) & (active_before > 0)
        new, held = new | (forced & ~forced_held), (new & (active_before > 0)) | forced_held
        # -1: no fixed note is left.
        end = ops.broadcast_to(next_fixed < 0, ops.shape(next_fixed))
        never = ops.zeros_like(end)
        special = {START: never, END: never, STEP_END: end}
        return ops.concatenate([*(special[event] for event in range(NEW)), new, held], axis=-1)
