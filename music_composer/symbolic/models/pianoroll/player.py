"""The piano-roll model plays: word after word, within what is allowed.

All samples of a batch play side by side in one compiled loop; see symbolic/models/particles.py for what is around it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import silent_state
from music_composer.symbolic.key_history import OCTAVE, classes_of, fading
from music_composer.symbolic.models.pianoroll.network import Pianoroll
from music_composer.symbolic.models.pianoroll.vocabulary import KEYS
from music_composer.symbolic.models.sampling import NEVER, drawn
from music_composer.symbolic.roll import PITCHES
from music_composer.training.devices import compile_arguments

Tensor = Any


class PianorollPlayer(keras.Model):
    """Plays as many steps as it is given random numbers for.

    Input: draws (batch, steps, 1) even in 0 to 1, clock (batch, steps, clock), allowed and locked (batch, steps, 128)
    as 0 and 1, fullest (batch, steps): notes at most besides those locked; taste (batch, 3), stability (batch,), and
    the state. Output: keys (batch, steps, KEYS) as 0 and 1; the logarithm of what share of everything each step was
    drawn from, (batch, steps); that of its probability there; and the state after the last step.

    Where no word of the vocabulary has what is locked and nothing that is not allowed, what is locked sounds alone.
    stability: steps for which a chord is held at least; one that lasts longer by itself is not lengthened.
    """

    parts = 1
    draws = (1,)

    def __init__(self, model: Pianoroll) -> None:
        super().__init__()
        self.model = model
        self.table = table = model.table
        self.fading = fading(model.options.fades)
        self.classes = classes_of(PITCHES)
        self.sounding = table[:, :PITCHES] + table[:, PITCHES:]
        self.compile(**compile_arguments())

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Nothing heard: the keys of the last step, how much each pitch class was heard, how long the last chord has
        lasted, h and c of each layer.
        """
        return [
            np.zeros((batch, KEYS), np.float32),
            np.zeros((batch, len(self.fading), OCTAVE), np.float32),
            np.full(batch, KEYS, np.float32),
            *silent_state(self.model.lstms, batch),
        ]

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        draws, clock, allowed, locked, fullest, taste, stability, *state = inputs
        steps = ops.shape(clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1))

        def play(i: Tensor, played: Tensor, how: Tensor, *state: Tensor) -> list[Tensor]:
            now = [ops.take(each, i, axis=1) for each in (draws, clock, allowed, locked, fullest)]
            keys, found, after = self._step(now, taste, stability, list(state))
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            played, how = ops.where(index == i, keys[:, None], played), ops.where(index == i, found[:, None], how)
            return [i + 1, played, how, *after]

        blank = ops.concatenate([allowed, allowed], axis=-1) * 0
        start = [ops.zeros((), dtype="int32"), blank, blank[..., :2], *state]
        _, played, how, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [played, how[..., 0], how[..., 1], *state]

    def _step(
        self, now: list[Tensor], taste: Tensor, stability: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        draw, clock, allowed, locked, fullest = now
        last, heard, age, *layers = state
        sounded = last[:, :PITCHES] + last[:, PITCHES:]
        weight, layers = self.model.listen_step(last, heard, clock, layers)
        # Matrix products count, for every word, what it lacks of the locked notes, what it has that is not allowed, and
        # how much it adds to them; one that holds on what did not sound has no weight.
        open_ = ops.matmul(locked, 1 - self.sounding.T) < 0.5
        open_ &= ops.matmul((1 - allowed) * (1 - locked), self.sounding.T) < 0.5
        open_ &= ops.matmul(1 - locked, self.sounding.T) < ops.cast(fullest, "float32")[:, None] + 0.5
        open_ &= weight > NEVER / 2
        open_ = ops.concatenate([open_[:, :-1], ops.zeros_like(open_[:, :1])], axis=-1)  # the last is no word
        some = ops.any(open_, axis=-1, keepdims=True)
        word, share, likely = drawn(weight, open_ | ~some, taste, draw)
        keys = ops.take(ops.convert_to_tensor(self.table), word[:, 0], axis=0)
        alone = ops.concatenate([locked * (1 - sounded), locked * sounded], axis=-1)
        keys = ops.where(some, keys, alone)
        # Held on while it is too young to change, if it may sound on and that leaves nothing out.
        held = ops.concatenate([ops.zeros_like(sounded), sounded], axis=-1)
        may = ~ops.any((locked > sounded) | ((sounded > locked) & (allowed < 1)), axis=-1)
        may &= ops.sum(sounded * (1 - locked), axis=-1) < ops.cast(fullest, "float32") + 0.5
        keys = ops.where(((age < stability) & may)[:, None], held, keys)
        sounding = keys[:, :PITCHES] + keys[:, PITCHES:]
        changed = ops.any(keys[:, :PITCHES] > 0, axis=-1) | ops.any(sounding != sounded, axis=-1)
        how = ops.where(some, ops.stack([share, likely], axis=-1), 0.0)
        heard = heard * self.fading + ops.matmul(sounding, self.classes)[:, None]
        return keys, how, [keys, heard, ops.where(changed, 1.0, age + 1), *layers]
