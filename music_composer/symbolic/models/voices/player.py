"""The voices model plays: chords are drawn step by step, note by note, within what is allowed.

All samples of a batch play side by side in one compiled loop. Random numbers are drawn outside, each sample from its
own stream, so that a sample depends on its seed alone.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import lstm_step
from music_composer.symbolic.key_history import OCTAVE, fading
from music_composer.symbolic.models.sampling import drawn
from music_composer.symbolic.models.voices.chords import SILENT, ways_to_sing
from music_composer.symbolic.models.voices.network import Voices
from music_composer.training.devices import compile_arguments

Tensor = Any
State = list[Tensor]


class VoicesPlayer(keras.Model):
    """Plays as many steps as it is given random numbers for.

    Input: draws (batch, steps, most, 2) even in 0 to 1, clock (batch, steps, clock), allowed (batch, steps, pitches) as
    0 and 1, locked int (batch, steps, pitches): 0 is free, 1 and more are the manner less one; fullest int (batch,
    steps): notes at most; shift (batch,), taste (batch, 3), and the state.
    Output: chords and manners int (batch, steps, most), 0 where there is no note; the logarithm of what share of all
    chords each step was drawn from, (batch, steps); that of its probability among these; and the state after the last
    step.

    Pitches that are not allowed never sound; those that are locked always do, and are not counted among `fullest`.
    """

    parts = 2  # chords and manners

    def __init__(self, model: Voices, most: int) -> None:
        super().__init__()
        self.model, self.most = model, most
        self.draws = (most, 2)
        self.fading = fading(model.options.fades)
        ways = [ways_to_sing(notes, model.options.voices) for notes in range(1, most + 1)]
        count = max(map(len, ways))
        # Filled up with the last way, which can only be found again.
        self.ways = np.stack([np.concatenate([way, np.repeat(way[-1:], count - len(way), axis=0)]) for way in ways])
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Nothing heard: h, c, notes of the last step and of the one before, what was struck in the last, the voices
        of both, how much each pitch class was heard, and the memory that attention reaches: answers, notes by rank, and
        how many steps there were.
        """
        options = self.model.options
        zeros = [np.zeros((batch, size), np.float32) for size in [options.neurons] * 2 + [options.pitches] * 3]
        silent = [np.full((batch, options.voices), SILENT, np.int32) for _ in range(2)]
        answers = np.zeros((batch, options.memory, options.attention), np.float32)
        ranks = np.full((batch, options.memory, self.most), options.pitches, np.int32)
        heard = np.zeros((batch, len(options.fades), OCTAVE), np.float32)
        return [*zeros, *silent, heard, answers, ranks, np.zeros((batch, 1), np.int32)]

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        draws, clock, allowed, locked, fullest, shift, taste, *state = inputs
        steps = ops.shape(clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, chords: Tensor, manners: Tensor, drawn: Tensor, *state: Tensor) -> list[Tensor]:
            now, *within = (ops.take(each, i, axis=1) for each in (clock, draws, allowed, locked, fullest))
            past, heard = self._hear(now[:, None], shift, list(state))
            chord, manner, how = self._draw(past, within, taste)
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            chords = ops.where(index == i, chord[:, None], chords)
            manners = ops.where(index == i, manner[:, None], manners)
            drawn = ops.where(index == i, how[:, None], drawn)
            return [i + 1, chords, manners, drawn, *self._remember(chord, manner, heard)]

        blank = ops.zeros_like(draws[..., 0], dtype="int32")
        start = [ops.zeros((), dtype="int32"), blank, blank, ops.zeros_like(draws[..., 0, :]), *state]
        _, chords, manners, drawn, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [chords, manners, drawn[..., 0], drawn[..., 1], *state]

    def _hear(self, clock: Tensor, shift: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        """What is known before the notes of a step, as for a batch of one step; and the state, the step heard."""
        model = self.model
        h, c, last, second, struck, led, led_before, heard, answers, ranks, count = state
        x = model.heard(last[:, None], struck[:, None], led[:, None], led_before[:, None], clock, shift)
        heard = heard * self.fading + (last @ model.classes)[:, None]
        h, c = lstm_step(model.lstm, x[:, 0], h, c)
        hidden = h[:, None]
        memory = model.options.memory
        seen = (ops.arange(memory)[None] < count)[:, None]
        attended = model.attended(hidden, answers, seen)[:, 0]
        known = model.known(hidden, last[:, None], second[:, None])
        here = (ops.arange(memory)[None] == count % memory)[..., None]
        answers = ops.where(here, model.answer(hidden), answers)
        after = [h, c, *state[2:7], heard, answers, ranks, count]
        return (known, led[:, None], last[:, None], model.degrees(heard[:, None]), attended, ranks), after

    def _draw(self, past: tuple[Tensor, ...], within: list[Tensor], taste: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One chord and its manners, (batch, most), and the logarithms of the share it was drawn from and of its
        probability there, (batch, 2).

        within: draws, allowed, locked and fullest of this step.
        """
        draws, allowed, locked, fullest = within
        pitches = self.model.options.pitches
        known, led, last, classes, attended, ranks = past
        rank = ops.arange(self.most)[None]
        place = ops.arange(pitches)[None]

        def choose(
            k: Tensor, before: Tensor, chosen: Tensor, chord: Tensor, manners: Tensor, how: Tensor, free: Tensor
        ) -> list[Tensor]:
            notes = ops.reshape(ops.take(ranks, k, axis=2) + (pitches + 1) * ops.arange(batch)[:, None], (-1,))
            copied = ops.segment_sum(ops.reshape(attended, (-1,)), notes, num_segments=batch * (pitches + 1))
            copied = ops.reshape(copied, (batch, 1, 1, pitches + 1))
            draw = ops.take(draws, k, axis=1)
            weight, y = self.model.decide((known, led, last, classes, copied), chosen, before[:, None])
            open_ = self._open(before, place, allowed, locked, free)
            note, *of_note = drawn(weight[:, 0, 0], open_, taste, draw[:, :1])
            manner, *of_manner = self._manner(y, note, last, locked, taste, draw[:, 1:])
            note_counts, manner_counts = (ops.cast(each < pitches, "float32") for each in (before, note))
            how += note_counts * ops.stack(of_note, axis=-1) + manner_counts * ops.stack(of_manner, axis=-1)
            took = ops.any((place == note) & (locked == 0), axis=-1)
            chord = ops.where(rank == k, note, chord)
            manners = ops.where((rank == k) & (note < pitches), manner, manners)
            chosen = chosen + self.model.chosen(note[:, None], manner[:, None], led)
            return [k + 1, note, chosen, chord, manners, how, free - ops.cast(took, "int32")]

        batch = ops.shape(draws)[0]
        begin = ops.full((batch, 1), SILENT, dtype="int32")
        nothing = ops.zeros((batch, 1, 1, self.model.options.embedding))
        chord = ops.full((batch, self.most), pitches, dtype="int32")
        start = [ops.zeros((), dtype="int32"), begin, nothing, chord, chord * 0, ops.zeros((batch, 2)), fullest]
        going = lambda k, before, *rest: (k < self.most) & ops.any(before < pitches)  # noqa: E731
        _, _, _, chord, manners, how, _ = ops.while_loop(going, choose, start)
        return chord, manners, how

    def _open(self, before: Tensor, place: Tensor, allowed: Tensor, locked: Tensor, free: Tensor) -> Tensor:
        """Which pitches, and whether "no more", may follow the note `before`, bool (batch, pitches + 1)."""
        pitches = self.model.options.pitches
        # Nothing that is locked may be passed over, and all of it sounds before "no more".
        next_locked = ops.min(ops.where((locked > 0) & (place > before), place, pitches), axis=-1, keepdims=True)
        open_ = ((allowed > 0) & (free[:, None] > 0) & (place < next_locked)) | (place == next_locked)
        open_ = ops.concatenate([open_ & (place > before), next_locked == pitches], axis=-1)
        only_end = ops.arange(pitches + 1)[None] == pitches
        return ops.where(before == pitches, only_end, open_)  # what has ended stays so

    def _manner(
        self, y: Tensor, note: Tensor, last: Tensor, locked: Tensor, taste: Tensor, draw: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The manner of a note, as `drawn` gives it."""
        options = self.model.options
        if not options.loudness:
            return ops.zeros_like(note), ops.zeros_like(draw[:, 0]), ops.zeros_like(draw[:, 0])
        weight = self.model.treat(y, note[:, None], last)[:, 0, 0]
        wanted = ops.take_along_axis(locked, ops.minimum(note, options.pitches - 1), axis=-1)
        kinds = ops.arange(options.manners)[None]
        return drawn(weight, (wanted == 0) | (kinds == wanted - 1), taste, draw)

    def _remember(self, chord: Tensor, manners: Tensor, state: State) -> State:
        """The state after a step: its chord (batch, most) becomes the last one."""
        pitches, memory = self.model.options.pitches, self.model.options.memory
        h, c, last, _, _, led, _, heard, answers, ranks, count = state
        here = (ops.arange(memory)[None] == count % memory)[..., None]
        ranks = ops.where(here, chord[:, None], ranks)
        ranked = ops.one_hot(chord[:, None], pitches + 1, dtype="float32")
        sounding, struck = (each[:, 0] for each in self.model.notes_of(ranked, manners[:, None]))
        return [h, c, sounding, last, struck, self._led(chord, led), led, heard, answers, ranks, count + 1]

    def _led(self, chord: Tensor, led: Tensor) -> Tensor:
        """`lead_voices` for one step."""
        pitches = self.model.options.pitches
        count = ops.sum(ops.cast(chord < pitches, "int32"), axis=-1)
        ways = ops.take(ops.convert_to_tensor(self.ways, "int32"), ops.maximum(count, 1) - 1, axis=0)
        sung = ops.take_along_axis(chord[:, None], ways, axis=-1)
        moved = ops.sum(ops.abs(sung - led[:, None]), axis=-1)
        best = ops.where(led[:, 0] == SILENT, 0, ops.argmin(moved, axis=-1))
        way = ops.take_along_axis(sung, best[:, None, None], axis=1)[:, 0]
        return ops.where(count[:, None] > 0, way, led)
