"""The biaxial model plays: note after note, step by step, within what is allowed.

All samples of a batch play side by side in one compiled loop; see symbolic/drafts.py for what is around it.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from music_composer.layers.lstm import stack_step
from music_composer.symbolic.biaxial.network import Biaxial
from music_composer.symbolic.biaxial.notes import BITS, features

Tensor = Any
MOST_SILENT, HASTE, PATIENCE = 2, 0.02, 0.3  # of the adaptive mode: see `_eager`


class BiaxialPlayer(keras.Model):
    """Plays as many steps as it is given random numbers for.

    Input: draws (batch, steps, notes, 2) even in 0 to 1, clock (batch, steps, clock), allowed and locked (batch, steps,
    notes) as 0 and 1, fullest (batch, steps): notes at most besides those locked; temperature (batch,), conservativity
    (batch,): a note sounds with that power of its probability; adaptive (batch,), 0 or 1; and the state.
    Output: bits (batch, steps, notes, 2) as 0 and 1; the logarithm of what share of everything each step was drawn
    from, (batch, steps); that of its probability there; and the state after the last step.
    """

    parts = 1

    def __init__(self, model: Biaxial, jit_compile: bool | str = "auto") -> None:
        super().__init__()
        self.model = model
        self.draws = (model.options.notes, BITS)
        self.compile(jit_compile=jit_compile)

    def initial_state(self, batch: int) -> list[np.ndarray]:
        """Nothing heard: the bits of the last step, how eager it is to sound, h and c of each layer along time."""
        options = self.model.options
        last, eager = np.zeros((batch, options.notes, BITS), np.float32), np.ones(batch, np.float32)
        layers = self.model.time_state(batch * options.notes)
        return [last, eager, *(each.reshape(batch, options.notes, -1) for each in layers)]

    def call(self, inputs: list[Tensor]) -> list[Tensor]:
        draws, clock, allowed, locked, fullest, temperature, conservativity, adaptive, *state = inputs
        steps = ops.shape(clock)[1]
        index = ops.reshape(ops.arange(steps), (1, steps, 1, 1))

        def play(i: Tensor, played: Tensor, how: Tensor, *state: Tensor) -> list[Tensor]:
            now = [ops.take(each, i, axis=1) for each in (draws, clock, allowed, locked, fullest)]
            last, eager, *layers = state
            hidden, layers = self._along_time(last, now[1], layers)
            power = conservativity * ops.where(adaptive > 0, eager, 1.0)
            bits, found = self._along_notes(hidden, last, now, temperature, power)
            # Written by mask: the one way to fill an array in a loop that every backend compiles alike.
            played = ops.where(index == i, bits[:, None], played)
            how = ops.where(index[..., 0] == i, found[:, None], how)
            return [i + 1, played, how, bits, self._eager(eager, bits), *layers]

        start = [ops.zeros((), dtype="int32"), ops.zeros_like(draws), ops.zeros_like(draws[:, :, 0]), *state]
        _, played, how, *state = ops.while_loop(lambda i, *rest: i < steps, play, start)
        return [played, how[..., 0], how[..., 1], *state]

    def _along_time(self, last: Tensor, clock: Tensor, layers: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """hidden (batch, notes, neurons) after the last step was heard, and the layers' state."""
        batch, notes = ops.shape(last)[0], self.model.options.notes
        told = features(last[:, None], clock[:, None], self.model.options.lowest)
        x = ops.reshape(told, (batch * notes, told.shape[-1]))
        flat = [ops.reshape(each, (batch * notes, each.shape[-1])) for each in layers]
        x, after = stack_step(self.model.time, x, flat, residual=False)
        return ops.reshape(x, (batch, notes, x.shape[-1])), [
            ops.reshape(each, (batch, notes, each.shape[-1])) for each in after
        ]

    def _along_notes(
        self, hidden: Tensor, last: Tensor, now: list[Tensor], temperature: Tensor, power: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The bits of a step, (batch, notes, 2), and the logarithms of share and probability, (batch, 2)."""
        draws, _, allowed, locked, fullest = now
        model, notes = self.model, self.model.options.notes
        first, *others = model.notes
        batch = ops.shape(hidden)[0]
        # What the first layer makes of the hidden state does not depend on the notes below: formed at once.
        kernel, recurrent, bias = (ops.convert_to_tensor(each) for each in _weights(first))
        known = ops.matmul(hidden, kernel[:-BITS]) + bias
        place = ops.reshape(ops.arange(notes), (1, notes, 1))
        starts = [ops.tile(each[None], (batch, 1)) for start in model.starts[len(model.time) :] for each in start]

        def choose(i: Tensor, below: Tensor, bits: Tensor, how: Tensor, free: Tensor, *state: Tensor) -> list[Tensor]:
            here = ops.take(known, i, axis=1) + ops.matmul(below, kernel[-BITS:]) + ops.matmul(state[0], recurrent)
            h, c = _gates(here, state[1])
            x, after = stack_step(others, h, list(state[2:]), residual=False) if others else (h, [])
            weights = model.outlet(x) / temperature[:, None]
            may, must = ops.take(allowed, i, axis=1) * ops.cast(free > 0, "float32"), ops.take(locked, i, axis=1)
            play = ops.exp(-power * ops.softplus(-weights[:, 0]))
            draw = ops.take(draws, i, axis=1)
            sounds = ops.where(must > 0, 1.0, ops.cast(draw[:, 0] < play, "float32") * may)
            share = ops.where(must > 0, ops.log(play + 1e-30), ops.where(may > 0, 0.0, ops.log(1 - play + 1e-30)))
            likely = ops.log(ops.where(sounds > 0, play, 1 - play) + 1e-30) - share
            sounded = ops.take(last[..., 0], i, axis=1)
            struck = sounds * ops.maximum(1 - sounded, ops.cast(draw[:, 1] < ops.sigmoid(weights[:, 1]), "float32"))
            now = ops.stack([sounds, struck], axis=-1)
            bits = ops.where(place == i, now[:, None], bits)
            how += ops.stack([share, likely], axis=-1)
            free -= ops.cast((sounds > 0) & (must == 0), "int32")
            return [i + 1, now, bits, how, free, h, c, *after]

        silent = ops.zeros_like(last[:, 0])
        begin = [ops.zeros((), dtype="int32"), silent, ops.zeros_like(last), silent, fullest, *starts]
        _, _, bits, how, *_ = ops.while_loop(lambda i, *rest: i < notes, choose, begin)
        return bits, how

    def _eager(self, eager: Tensor, bits: Tensor) -> Tensor:
        """What the adaptive mode makes of silence: with fewer than two notes the power sinks, so that more sound;
        otherwise it goes back to 1 (`gen_adaptive` of biaxial-rnn-music-composition).
        """
        sounding = ops.sum(bits[..., 0], axis=-1)
        return ops.where(
            sounding < MOST_SILENT, ops.maximum(ops.minimum(eager, 1.0) - HASTE, 0.0), eager + (1 - eager) * PATIENCE
        )


def _weights(lstm: keras.layers.LSTM) -> tuple[Any, Any, Any]:
    return lstm.cell.kernel, lstm.cell.recurrent_kernel, lstm.cell.bias


def _gates(z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """A step of an LSTM from what its gates are given, (batch, 4 * units), as Keras orders them."""
    i, f, new, o = ops.split(z, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(new)
    return ops.sigmoid(o) * ops.tanh(c), c
