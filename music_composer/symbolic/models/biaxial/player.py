"""The biaxial model plays: note after note, step by step, within what is allowed.

All samples of a batch play side by side in one compiled loop; see symbolic/models/particles.py for what is around it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import stack_step
from music_composer.symbolic.key_history import OCTAVE, classes_of, fading
from music_composer.symbolic.models.biaxial.features import ALREADY, SOME, before, features
from music_composer.symbolic.models.biaxial.network import Biaxial
from music_composer.symbolic.models.biaxial.notes import BITS

Tensor = Any
LEAST = 1e-30  # added to probabilities before their logarithm is taken
BEYOND = float("inf")  # more than any weight
MOST_SILENT, HASTE, PATIENCE = 2, 0.02, 0.3  # of the adaptive mode: see `_eager`


class BiaxialPlayer(keras.Model):
    """Plays as many steps as it is given random numbers for.

    Input: draws (batch, steps, notes, 2) even in 0 to 1, clock (batch, steps, clock), allowed and locked (batch, steps,
    notes) as 0 and 1, fullest (batch, steps): notes at most besides those locked; temperature (batch,), conservativity
    (batch,): a note sounds with that power of its probability; adaptive (batch,), 0 or 1; sure (batch,): what is more
    probable than that is not drawn but done, for notes that sound and notes that do not; and the state.
    Output: bits (batch, steps, notes, 2) as 0 and 1; the logarithm of what share of everything each step was drawn
    from, (batch, steps); that of its probability there; and the state after the last step.
    """

    parts = 1

    def __init__(self, model: Biaxial, jit_compile: bool | str = "auto") -> None:
        super().__init__()
        self.model = model
        self.draws = (model.options.notes, BITS)
        self.fading = fading(model.options.fades)
        self.classes = classes_of(model.options.notes)
        self.compile(jit_compile=jit_compile)

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Nothing heard: the bits of the last step, how much each pitch class was heard, how eager it is to sound, h
        and c of each layer along time.
        """
        options = self.model.options
        last, eager = np.zeros((batch, options.notes, BITS), np.float32), np.ones(batch, np.float32)
        heard = np.zeros((batch, len(options.fades), OCTAVE), np.float32)
        layers = self.model.time_state(batch * options.notes)
        return [last, heard, eager, *(each.reshape(batch, options.notes, -1) for each in layers)]

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        draws, clock, allowed, locked, fullest, temperature, conservativity, adaptive, sure, *state = inputs
        steps = ops.shape(clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1, 1))

        def play(i: Tensor, played: Tensor, how: Tensor, *state: Tensor) -> list[Tensor]:
            now = [ops.take(each, i, axis=1) for each in (draws, clock, allowed, locked, fullest)]
            last, heard, eager, *layers = state
            hidden, layers = self._along_time(last, heard, now[1], layers)
            power = conservativity * ops.where(adaptive > 0, eager, 1.0)
            bits, found = self._along_notes(hidden, last, now, temperature, power, sure)
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            played = ops.where(index == i, bits[:, None], played)
            how = ops.where(index[..., 0] == i, found[:, None], how)
            heard = heard * self.fading + ops.matmul(bits[..., 0], self.classes)[:, None]
            return [i + 1, played, how, bits, heard, self._eager(eager, bits), *layers]

        start = [ops.zeros((), dtype="int32"), ops.zeros_like(draws), ops.zeros_like(draws[:, :, 0]), *state]
        _, played, how, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [played, how[..., 0], how[..., 1], *state]

    def _along_time(
        self, last: Tensor, heard: Tensor, clock: Tensor, layers: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """hidden (batch, notes, neurons) after the last step was heard, and the layers' state."""
        batch, notes = ops.shape(last)[0], self.model.options.notes
        told = features(last[:, None], heard[:, None], clock[:, None], self.model.options.lowest)
        x = ops.reshape(told, (batch * notes, told.shape[-1]))
        flat = [ops.reshape(each, (batch * notes, each.shape[-1])) for each in layers]
        x, after = stack_step(self.model.time, x, flat, residual=False)
        return ops.reshape(x, (batch, notes, x.shape[-1])), [
            ops.reshape(each, (batch, notes, each.shape[-1])) for each in after
        ]

    def _along_notes(
        self, hidden: Tensor, last: Tensor, now: list[Tensor], temperature: Tensor, power: Tensor, sure: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The bits of a step, (batch, notes, 2), and the logarithms of share and probability, (batch, 2)."""
        draws, _, allowed, locked, fullest = now
        sure = sure[:, None]
        draws = ops.clip(draws, 1 - sure[..., None], sure[..., None])
        model, notes = self.model, self.model.options.notes
        first, *others = model.notes
        batch = ops.shape(hidden)[0]
        # What does not depend on the notes below is formed for all notes at once: what the first layer makes of the
        # hidden state, and the weights above which a note sounds, and is struck.
        kernel, recurrent, bias = (ops.convert_to_tensor(each) for each in _weights(first))
        known = ops.matmul(ops.concatenate([hidden, before(last)], axis=-1), kernel[:-ALREADY]) + bias
        heard = ops.concatenate([kernel[-ALREADY:], recurrent], axis=0)
        never = ops.where(locked > 0, -BEYOND, BEYOND)  # too full for what is not locked
        sound = ops.where((locked > 0) | (allowed == 0), never, _weight_above(draws[..., 0], power[:, None]))
        strike = ops.where(last[..., 0] > 0, _weight_above(draws[..., 1], 1.0), -BEYOND)
        limits = ops.stack([sound, never, strike], axis=-1) * temperature[:, None, None]
        place = ops.reshape(ops.arange(notes), (1, notes, 1))
        starts = [ops.tile(each[None], (batch, 1)) for start in model.starts[len(model.time) :] for each in start]

        def choose(i: Tensor, below: Tensor, found: Tensor, free: Tensor, *state: Tensor) -> list[Tensor]:
            told = ops.concatenate([below, state[0]], axis=-1)
            h, c = _gates(ops.take(known, i, axis=1) + ops.matmul(told, heard), state[1])
            x, after = stack_step(others, h, list(state[2:]), residual=False) if others else (h, [])
            weights, limit = model.outlet(x), ops.take(limits, i, axis=1)
            sounds = weights[:, 0] > ops.where(free > 0, limit[:, 0], limit[:, 1])
            struck = sounds & (weights[:, 1] > limit[:, 2])
            bits = ops.cast(ops.stack([sounds, struck], axis=-1), "float32")
            found = ops.where(place == i, ops.concatenate([bits, weights], axis=-1)[:, None], found)
            below = ops.concatenate([bits, below[:, BITS:] + bits[:, :1] / SOME], axis=-1)
            return [i + 1, below, found, free - ops.cast(sounds & (limit[:, 1] > 0), "int32"), h, c, *after]

        blank = ops.zeros_like(ops.concatenate([last, last], axis=-1))
        begin = [ops.zeros((), dtype="int32"), blank[:, 0, :ALREADY], blank, fullest, *starts]
        _, _, found, *_ = ops.while_loop(lambda i, *rest: i < notes, choose, begin)
        bits, weights = ops.split(found, 2, axis=-1)
        play = ops.exp(-power[:, None] * ops.softplus(-weights[..., 0] / temperature[:, None]))
        return bits, _logarithms(play, bits[..., 0] > 0, locked, allowed, fullest, sure)

    def _eager(self, eager: Tensor, bits: Tensor) -> Tensor:
        """What the adaptive mode makes of silence: with fewer than two notes the power sinks, so that more sound;
        otherwise it goes back to 1 (`gen_adaptive` of biaxial-rnn-music-composition).
        """
        sounding = ops.sum(bits[..., 0], axis=-1)
        return ops.where(
            sounding < MOST_SILENT, ops.maximum(ops.minimum(eager, 1.0) - HASTE, 0.0), eager + (1 - eager) * PATIENCE
        )


def _weight_above(draw: Tensor, power: Tensor) -> Tensor:
    """Above which weight w the power of its probability, sigmoid(w) ** power, is more than a draw: -inf to inf."""
    drawn = ops.log(draw) / power
    return drawn - ops.log(-ops.expm1(drawn))


def _weights(lstm: keras.layers.LSTM) -> tuple[Any, Any, Any]:
    return lstm.cell.kernel, lstm.cell.recurrent_kernel, lstm.cell.bias


def _gates(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """A step of an LSTM from what its gates are given, (batch, 4 * units), as Keras orders them."""
    i, f, new, o = ops.split(z, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(new)
    return ops.sigmoid(o) * ops.tanh(c), c


def _logarithms(play: Tensor, sounds: Tensor, locked: Tensor, allowed: Tensor, fullest: Tensor, sure: Tensor) -> Tensor:
    """Of what share of everything a step was drawn from, and of its probability there, (batch, 2).

    play: the probability of each note, and `sounds`, whether it did, (batch, notes) both.
    """
    new = ops.cast(sounds & (locked == 0), "int32")
    free = (locked == 0) & (allowed > 0) & (fullest[:, None] - ops.cumsum(new, axis=1) + new > 0)
    share = ops.where(free, 0.0, ops.log(ops.where(locked > 0, play, 1 - play) + LEAST))
    drawn = ops.where(play >= sure, 1.0, ops.where(play <= 1 - sure, 0.0, play))
    likely = ops.where(free, ops.log(ops.where(sounds, drawn, 1 - drawn) + LEAST), 0.0)
    return ops.stack([ops.sum(share, axis=-1), ops.sum(likely, axis=-1)], axis=-1)
