"""The activations of a trained biaxial network while it runs through a piece."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.symbolic.models.biaxial.batches import to_piece
from music_composer.symbolic.roll_operations import lengthened
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class Activations:
    """One layer along time. hidden, cells: float (steps, notes, neurons), after each step."""

    name: str
    hidden: np.ndarray
    cells: np.ndarray

    def mean_over(self, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means of both over the active notes, (steps, neurons); over all notes in silent steps.

        active: bool (steps, notes).
        """
        weights = np.where(active.any(axis=1, keepdims=True), active, 1).astype(np.float64)
        weights /= weights.sum(axis=1, keepdims=True)
        hidden, cells = (np.einsum("tn,tnk->tk", weights, array) for array in (self.hidden, self.cells))
        return hidden, cells


def observe(network: Any, roll: Roll) -> tuple[np.ndarray, list[Activations]]:
    """The active notes that the network sees, bool (steps, notes), and its layers along time, the first layer first."""
    from keras import ops

    from music_composer.layers.lstm import lstm_step
    from music_composer.symbolic.models.biaxial.features import features

    # A step enters the network as the step before the next one, together with the clock of that.
    piece = to_piece(lengthened(roll, 1), network.options)
    bits, key_history, clock = (
        array[None].astype(np.float32) for array in (piece.bits[:-1], piece.key_history[1:], piece.clock[1:])
    )
    inputs = ops.convert_to_numpy(features(bits, key_history, clock, network.options.lowest))[0]
    state = network.time_state(network.options.notes)
    by_layer: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in network.time]
    for x in inputs:
        for i, lstm in enumerate(network.time):
            h, c = (ops.convert_to_numpy(array) for array in lstm_step(lstm, x, *state[2 * i : 2 * i + 2]))
            state[2 * i : 2 * i + 2] = h, c
            by_layer[i].append((h, c))
            # The next layer sees the output of this one.
            x = h
    layers = [
        Activations(f"layer {i + 1}", np.stack([h for h, _ in steps]), np.stack([c for _, c in steps]))
        for i, steps in enumerate(by_layer)
    ]
    return piece.bits[:-1, :, 0], layers
