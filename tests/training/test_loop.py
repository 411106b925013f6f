"""Chunks of a window, by a model that only notes what it is given."""

from __future__ import annotations

import types

import numpy as np

from music_composer.options import TrainOptions
from music_composer.training.checkpoint import TrainState
from music_composer.training.loop import DRAWS_PER_STEP, _learn_in_chunks


class Notes:
    """Its state counts the updates; its loss is the first number of a chunk."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.states: list[float] = []
        self.seeds: list[list[int]] = []
        self.noise_seed = types.SimpleNamespace(state=types.SimpleNamespace(assign=self.seeds.append))

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return [np.zeros((batch, 1), np.float32)]

    def train_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, np.ndarray]:
        windows, state = inputs
        self.chunks.append(windows[0, :, 0])
        self.states.append(float(state[0, 0]))
        return {"loss": windows[0, 0, 0], "state_0": state + 1}


def test_chunks_follow_each_other_and_carry_the_state_on() -> None:
    model, state = Notes(), TrainState(7, step=3)
    window = np.broadcast_to(np.arange(11.0)[None, :, None], (2, 11, 4))
    loss = _learn_in_chunks(model, window, TrainOptions(chunk_steps=4), state)
    assert [list(chunk) for chunk in model.chunks] == [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10]]
    assert model.states == [0, 1, 2]
    assert [place for _, place in model.seeds] == [step * DRAWS_PER_STEP for step in (3, 4, 5)]
    assert (state.step, loss) == (6, 4.0)
