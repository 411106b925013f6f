"""What goes on inside the biaxial model while it listens to a piece."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.symbolic.models.biaxial.batches import to_lesson
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class Thoughts:
    """One layer along time. hidden, cells: float (steps, notes, neurons), after each step was heard."""

    name: str
    hidden: np.ndarray
    cells: np.ndarray

    def of(self, sounding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both as means over the notes that sound, (steps, neurons); over all notes where none does."""
        weight = np.where(sounding.any(axis=1, keepdims=True), sounding, 1).astype(np.float64)
        weight /= weight.sum(axis=1, keepdims=True)
        hidden, cells = (np.einsum("tn,tnk->tk", weight, each) for each in (self.hidden, self.cells))
        return hidden, cells


def observe(model: Any, roll: Roll) -> tuple[np.ndarray, list[Thoughts]]:
    """The notes that the model hears, bool (steps, notes), and the layers along time, from the first."""
    from keras import ops

    from music_composer.layers.lstm import lstm_step
    from music_composer.symbolic.models.biaxial.features import features

    # Each step is heard on the way to the next one, whose time is told with it.
    piece = to_lesson(lengthened(roll, 1), model.options)
    bits, heard, clock = (each[None].astype(np.float32) for each in (piece.bits[:-1], piece.heard[1:], piece.clock[1:]))
    told = features(bits, heard, clock, model.options.lowest)
    told = ops.convert_to_numpy(told)[0]
    state = model.time_state(model.options.notes)
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in model.time]
    for x in told:
        for i, lstm in enumerate(model.time):
            h, c = (ops.convert_to_numpy(each) for each in lstm_step(lstm, x, *state[2 * i : 2 * i + 2]))
            state[2 * i : 2 * i + 2] = h, c
            found[i].append((h, c))
            x = h
    layers = [
        Thoughts(f"layer {i + 1}", np.stack([h for h, _ in steps]), np.stack([c for _, c in steps]))
        for i, steps in enumerate(found)
    ]
    return piece.bits[:-1, :, 0], layers
