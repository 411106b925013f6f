"""The polyphony model plays: event after event, step by step, within what is allowed.

All samples of a batch play side by side in one compiled loop; see symbolic/models/particles.py for what is around it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import silent_state
from music_composer.symbolic.key_history import OCTAVE, classes_of, fading
from music_composer.symbolic.models.polyphony.events import CONTINUED, END, NEW, PITCHES, START, STEP_END
from music_composer.symbolic.models.polyphony.network import Polyphony
from music_composer.symbolic.models.sampling import drawn
from music_composer.training.devices import compile_arguments

Tensor = Any
FREE, HELD = 0, 1  # what `locked` says of a pitch; anything else is struck


class PolyphonyPlayer(keras.Model):
    """Plays as many steps as it is given random numbers for.

    Input: draws (batch, steps, most) even in 0 to 1, clock (batch, steps, clock), allowed (batch, steps, 128) as 0 and
    1, locked int (batch, steps, 128): FREE, HELD or struck; fullest int (batch, steps): notes at most besides those
    locked; taste (batch, 3), and the state.
    Output: bool (batch, steps, 128) twice, what sounds and what is struck; the logarithm of what share of everything
    each step was drawn from, (batch, steps); that of its probability there; and the state after the last step.

    Pitches that are not allowed never sound; those that are locked always do. END is never played: a piece is as long
    as it is asked to be.
    """

    parts = 2

    def __init__(self, model: Polyphony) -> None:
        super().__init__()
        self.model, self.most = model, model.options.most + 1
        self.draws = (self.most,)
        self.fading = fading(model.options.fades)
        self.classes = classes_of(PITCHES)
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Nothing heard: the last event, what sounded in the last step, how much each pitch class was heard, h and c of
        each layer.
        """
        told, sounded = np.full((batch,), START, np.int32), np.zeros((batch, PITCHES), np.float32)
        heard = np.zeros((batch, len(self.fading), OCTAVE), np.float32)
        return [told, sounded, heard, *silent_state(self.model.lstms, batch)]

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        draws, clock, allowed, locked, fullest, taste, *state = inputs
        steps = ops.shape(clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, sounding: Tensor, struck: Tensor, how: Tensor, *state: Tensor) -> list[Tensor]:
            now = [ops.take(each, i, axis=1) for each in (draws, clock, allowed, locked, fullest)]
            row, new, found, after = self._step(now, taste, list(state))
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            sounding, struck, how = (
                ops.where(index == i, part[:, None], whole)
                for part, whole in ((row, sounding), (new, struck), (found, how))
            )
            return [i + 1, sounding, struck, how, *after]

        blank = ops.zeros_like(allowed)
        start = [ops.zeros((), dtype="int32"), blank, blank, ops.zeros_like(allowed[..., :2]), *state]
        _, sounding, struck, how, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [sounding > 0, struck > 0, how[..., 0], how[..., 1], *state]

    def _step(self, now: list[Tensor], taste: Tensor, state: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, list]:
        """What sounds and what is struck, (batch, 128) both, the logarithms, (batch, 2), and the state."""
        draws, clock, allowed, locked, fullest = now
        told, sounded, heard, *layers = state
        pitch, degrees = ops.arange(PITCHES)[None], self.model.tonality.known(heard)

        def choose(
            k: Tensor, told: Tensor, row: Tensor, new: Tensor, how: Tensor, free: Tensor, *before: Tensor
        ) -> list[Tensor]:
            going = (k == 0) | (told != STEP_END)
            weight, after = self.model.listen_step(told, sounded, degrees, clock, list(before))
            open_ = self._open(told, k, sounded, allowed, locked, free)
            event, share, likely = drawn(weight, open_, taste, ops.take(draws, k, axis=1)[:, None])
            event = event[:, 0]
            here = going[:, None] & (event[:, None] >= NEW) & ((event[:, None] - NEW) % PITCHES == pitch)
            struck = here & (event[:, None] < CONTINUED)
            took = ops.any(here & (locked == FREE), axis=-1)
            how += ops.where(going[:, None], ops.stack([share, likely], axis=-1), 0.0)
            layers = [ops.where(going[:, None], later, old) for later, old in zip(after, before, strict=True)]
            row, new = row + ops.cast(here, row.dtype), new + ops.cast(struck, new.dtype)
            return [k + 1, ops.where(going, event, told), row, new, how, free - ops.cast(took, "int32"), *layers]

        def going_on(k: Tensor, told: Tensor, *rest: Tensor) -> Tensor:
            return (k == 0) | ((k < self.most) & ops.any(told != STEP_END))

        blank = ops.zeros_like(allowed)
        begin = [ops.zeros((), dtype="int32"), told, blank, blank, blank[:, :2], fullest, *layers]
        _, told, row, new, how, _, *layers = ops.while_loop(going_on, choose, begin)
        heard = heard * self.fading + ops.matmul(row, self.classes)[:, None]
        return row, new, how, [told, row, heard, *layers]

    def _open(self, told: Tensor, k: Tensor, sounded: Tensor, allowed: Tensor, locked: Tensor, free: Tensor) -> Tensor:
        """Which events may follow, bool (batch, EVENTS)."""
        pitch = ops.arange(PITCHES)[None]
        last = ops.where((k > 0) & (told >= NEW), (told - NEW) % PITCHES, PITCHES)[:, None]
        # Nothing that is locked may be passed over on the way down, and all of it sounds before the step ends.
        next_locked = ops.max(ops.where((locked != FREE) & (pitch < last), pitch, -1), axis=-1, keepdims=True)
        new = (allowed > 0) & (free[:, None] > 0) & (pitch > next_locked) & (pitch < last)
        forced = pitch == next_locked
        wanted_held = (locked == HELD) & (sounded > 0)
        new, held = new | (forced & ~wanted_held), (new & (sounded > 0)) | (forced & wanted_held)
        end = ops.broadcast_to(next_locked < 0, ops.shape(next_locked))
        never = ops.zeros_like(end)
        special = {START: never, END: never, STEP_END: end}
        return ops.concatenate([*(special[event] for event in range(NEW)), new, held], axis=-1)
