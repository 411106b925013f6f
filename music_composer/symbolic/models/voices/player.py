"""Plays the voices model: chords step by step, notes from the bass up, within the constraints.

All samples of a batch run side by side in one compiled loop. Random numbers come from outside, for each sample from its
own generator, so that a sample depends on its seed alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import lstm_step
from music_composer.symbolic.key_history import decay_factors
from music_composer.symbolic.models.particles import Steps
from music_composer.symbolic.models.sampling import sample
from music_composer.symbolic.models.voices.chords import SILENT, voicings
from music_composer.symbolic.models.voices.network import StepContext, Voices
from music_composer.training.devices import compile_arguments
from music_composer.values import OCTAVE

Tensor = Any


class State(NamedTuple):
    """What the player carries from step to step.

    h, c: of the LSTM, (batch, neurons). last, second_last: active notes of the last two steps, and loudness: of the
    last onsets, (batch, pitches). last_voices, earlier_voices: int (batch, voices). key_history: (batch, channels, 12).
    keys, ranks: the attention's memory, a ring of past steps: (batch, memory, attention), and their notes by rank, int
    (batch, memory, max_notes). count: steps so far, int (batch, 1).
    """

    h: Any
    c: Any
    last: Any
    second_last: Any
    loudness: Any
    last_voices: Any
    earlier_voices: Any
    key_history: Any
    keys: Any
    ranks: Any
    count: Any


class StepInputs(NamedTuple):
    """The player's inputs for one step: see `VoicesPlayer`."""

    uniform: Tensor
    clock: Tensor
    allowed: Tensor
    fixed: Tensor
    max_new_notes: Tensor


class VoicesPlayer(keras.Model):
    """Plays a step for each row of random numbers.

    Input shape: uniform (batch, steps, max_notes, 2), random numbers in 0 to 1; clock (batch, steps, clock); allowed
    (batch, steps, pitches), 0 or 1; fixed int (batch, steps, pitches), 0 is free, any other number is an articulation
    plus one; max_new_notes int (batch, steps), besides the fixed ones; shift int (batch,); sampling (batch, 3), see
    `sampling_parameters`; and a `State`.
    Output: `Steps` whose outputs are chords and articulations, int (batch, steps, max_notes) each; an unused place
    holds the number of pitches, and articulation 0.

    Pitches that are not allowed are never active, fixed ones always are.
    """

    def __init__(self, network: Voices, max_notes: int) -> None:
        super().__init__()
        self.network, self.max_notes = network, max_notes
        self.draw_shape = (max_notes, 2)
        self.decay = decay_factors(network.options.half_lives)
        ways = [voicings(notes, network.options.voices) for notes in range(1, max_notes + 1)]
        count = max(map(len, ways))
        # Padded with the last way, which never wins: the first of equals does. (max_notes, ways, voices)
        self.voicings = np.stack(
            [np.concatenate([way, np.repeat(way[-1:], count - len(way), axis=0)]) for way in ways]
        )  # fmt: skip
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> State:
        """The state before the first step, NumPy arrays."""
        options = self.network.options
        no_notes = np.zeros((batch, options.pitches), np.float32)
        no_voices = np.full((batch, options.voices), SILENT, np.int32)
        return State(
            h=np.zeros((batch, options.neurons), np.float32),
            c=np.zeros((batch, options.neurons), np.float32),
            last=no_notes,
            second_last=no_notes,
            loudness=no_notes,
            last_voices=no_voices,
            earlier_voices=no_voices,
            key_history=np.zeros((batch, len(options.half_lives), OCTAVE), np.float32),
            keys=np.zeros((batch, options.memory, options.attention), np.float32),
            ranks=np.full((batch, options.memory, self.max_notes), options.pitches, np.int32),
            count=np.zeros((batch, 1), np.int32),
        )

    def call(self, inputs: list[Any]) -> Steps:
        batch_inputs, (shift, sampling, state) = StepInputs(*inputs[:5]), inputs[5:]
        state = State(*state)
        steps = ops.shape(batch_inputs.clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, chords: Tensor, articulations: Tensor, log_terms: Tensor, state: State) -> list[Any]:
            now = StepInputs(*(ops.take(array, i, axis=1) for array in batch_inputs))
            context, attention, state = self._advance(now.clock[:, None], shift, state)
            chord, articulation, terms = self._draw(context, attention, state.ranks, now, sampling)
            # Written by mask: the one way to fill an array in a loop that every backend compiles.
            chords = ops.where(index == i, chord[:, None], chords)
            articulations = ops.where(index == i, articulation[:, None], articulations)
            log_terms = ops.where(index == i, terms[:, None], log_terms)
            return [i + 1, chords, articulations, log_terms, self._append(chord, articulation, state)]

        uniform = batch_inputs.uniform
        blank = ops.zeros_like(uniform[..., 0], dtype="int32")
        start = [ops.zeros((), dtype="int32"), blank, blank, ops.zeros_like(uniform[..., 0, :]), state]
        _, chords, articulations, log_terms, state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return Steps((chords, articulations), log_terms[..., 0], log_terms[..., 1], state)

    def _advance(self, clock: Tensor, shift: Tensor, state: State) -> tuple[StepContext, Tensor, State]:
        """Runs the last step through the LSTM.

        Returns the context of the next step, its attention over the memory, (batch, memory), and the state with the
        last step in it. `copied` of the context is filled in rank by rank, in `_draw`.
        """
        network = self.network
        x = network.lstm_input(
            state.last[:, None], state.loudness[:, None], state.last_voices[:, None], state.earlier_voices[:, None],
            clock, shift,
        )  # fmt: skip
        # As `key_history_of` does step by step.
        key_history = state.key_history * self.decay + (state.last @ network.pitch_classes)[:, None]
        h, c = lstm_step(network.lstm, x[:, 0], state.h, state.c)
        hidden = h[:, None]
        memory = network.options.memory
        visible = (ops.arange(memory)[None] < state.count)[:, None]
        attention = network.attention(hidden, state.keys, visible)[:, 0]
        context = StepContext(
            network.projected(hidden, state.last[:, None], state.second_last[:, None]),
            state.last_voices[:, None],
            state.last[:, None],
            network.key_features(key_history[:, None]),
            copied=None,
        )
        keys = ops.where(self._slot(state), network.answer(hidden), state.keys)
        return context, attention, state._replace(h=h, c=c, key_history=key_history, keys=keys)

    def _slot(self, state: State) -> Tensor:
        """The slot of the ring for the current step, bool (batch, memory, 1)."""
        memory = self.network.options.memory
        return (ops.arange(memory)[None] == state.count % memory)[..., None]

    def _draw(
        self, context: StepContext, attention: Tensor, ranks: Tensor, now: StepInputs, sampling: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One chord and its articulations, (batch, max_notes) each; log mass and log probability, (batch, 2)."""
        pitches = self.network.options.pitches
        rank, pitch = ops.arange(self.max_notes)[None], ops.arange(pitches)[None]

        def choose(
            k: Tensor, note: Tensor, chosen: Tensor, chord: Tensor, articulations: Tensor, log_terms: Tensor,
            room: Tensor,
        ) -> list[Tensor]:  # fmt: skip
            # The attention on past notes of rank k, summed by pitch: one segment for each sample and pitch.
            notes = ops.reshape(ops.take(ranks, k, axis=2) + (pitches + 1) * ops.arange(batch)[:, None], (-1,))
            copied = ops.segment_sum(ops.reshape(attention, (-1,)), notes, num_segments=batch * (pitches + 1))
            copied = ops.reshape(copied, (batch, 1, 1, pitches + 1))
            uniform = ops.take(now.uniform, k, axis=1)
            log_probs, y = self.network.pitch_log_probs(context._replace(copied=copied), chosen, note[:, None])
            possible = self._possible(note, pitch, now, room)
            next_note, *note_terms = sample(log_probs[:, 0, 0], possible, sampling, uniform[:, :1])
            articulation, *articulation_terms = self._articulation(
                y, next_note, context.active, now.fixed, sampling, uniform[:, 1:]
            )
            # After "no more" nothing counts; an articulation counts where a note was chosen.
            is_open, is_note = (ops.cast(array < pitches, "float32") for array in (note, next_note))
            log_terms += is_open * ops.stack(note_terms, axis=-1) + is_note * ops.stack(articulation_terms, axis=-1)
            is_new = ops.any((pitch == next_note) & (now.fixed == 0), axis=-1)
            chord = ops.where(rank == k, next_note, chord)
            articulations = ops.where((rank == k) & (next_note < pitches), articulation, articulations)
            # The sum of chosen notes grows by one: see `Voices.chosen`.
            chosen = chosen + self.network.chosen(next_note[:, None], articulation[:, None], context.voice_pitches)
            return [k + 1, next_note, chosen, chord, articulations, log_terms, room - ops.cast(is_new, "int32")]

        def continues(k: Tensor, note: Tensor, *rest: Tensor) -> Tensor:
            # The chord of a sample ends with "no more"; the loop ends with the last sample.
            return (k < self.max_notes) & ops.any(note < pitches)

        batch = ops.shape(now.uniform)[0]
        first = ops.full((batch, 1), SILENT, dtype="int32")
        nothing = ops.zeros((batch, 1, 1, self.network.options.embedding))
        chord = ops.full((batch, self.max_notes), pitches, dtype="int32")
        start = [
            ops.zeros((), dtype="int32"), first, nothing, chord, chord * 0, ops.zeros((batch, 2)), now.max_new_notes
        ]  # fmt: skip
        _, _, _, chord, articulations, log_terms, _ = ops.while_loop(continues, choose, start)
        return chord, articulations, log_terms

    def _possible(self, note: Tensor, pitch: Tensor, now: StepInputs, room: Tensor) -> Tensor:
        """The pitches, and "no more", that may follow a note, bool (batch, pitches + 1)."""
        pitches = self.network.options.pitches
        # A fixed note cannot be skipped, and the chord cannot end before the last of them.
        next_fixed = ops.min(ops.where((now.fixed > 0) & (pitch > note), pitch, pitches), axis=-1, keepdims=True)
        possible = (now.allowed > 0) & (room[:, None] > 0) & (pitch < next_fixed)
        possible = possible | (pitch == next_fixed)
        possible = ops.concatenate([possible & (pitch > note), next_fixed == pitches], axis=-1)
        only_end = ops.arange(pitches + 1)[None] == pitches
        return ops.where(note == pitches, only_end, possible)  # a chord that has ended stays so

    def _articulation(
        self, y: Tensor, note: Tensor, last: Tensor, fixed: Tensor, sampling: Tensor, uniform: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The articulation of a note, with its log terms: see `sample`."""
        options = self.network.options
        if not options.loudness:
            return ops.zeros_like(note), ops.zeros_like(uniform[:, 0]), ops.zeros_like(uniform[:, 0])
        log_probs = self.network.articulation_log_probs(y, note[:, None], last)[:, 0, 0]
        wanted = ops.take_along_axis(fixed, ops.minimum(note, options.pitches - 1), axis=-1)
        kinds = ops.arange(options.articulations)[None]
        return sample(log_probs, (wanted == 0) | (kinds == wanted - 1), sampling, uniform)

    def _append(self, chord: Tensor, articulations: Tensor, state: State) -> State:
        """The state after a chord, int (batch, max_notes)."""
        ranked = ops.one_hot(chord[:, None], self.network.options.pitches + 1, dtype="float32")
        active, loudness = self.network.active_notes(ranked, articulations[:, None])
        return state._replace(
            last=active[:, 0],
            second_last=state.last,
            loudness=loudness[:, 0],
            last_voices=self._lead_voices(chord, state.last_voices),
            earlier_voices=state.last_voices,
            ranks=ops.where(self._slot(state), chord[:, None], state.ranks),
            count=state.count + 1,
        )

    def _lead_voices(self, chord: Tensor, voice_pitches: Tensor) -> Tensor:
        """`lead_voices` for one step."""
        pitches = self.network.options.pitches
        count = ops.sum(ops.cast(chord < pitches, "int32"), axis=-1)
        ways = ops.take(ops.convert_to_tensor(self.voicings, "int32"), ops.maximum(count, 1) - 1, axis=0)
        candidates = ops.take_along_axis(chord[:, None], ways, axis=-1)
        motion = ops.sum(ops.abs(candidates - voice_pitches[:, None]), axis=-1)
        # The first chord has no motion: it takes the most even voicing, which comes first.
        best = ops.where(voice_pitches[:, 0] == SILENT, 0, ops.argmin(motion, axis=-1))
        led = ops.take_along_axis(candidates, best[:, None, None], axis=1)[:, 0]
        return ops.where(count[:, None] > 0, led, voice_pitches)
