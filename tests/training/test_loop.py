"""Chunks of a window, by a model that only notes what it is given."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

from music_composer.data.batches import dataset_of
from music_composer.options import TrainOptions
from music_composer.training.checkpoint import TrainState
from music_composer.training.loop import DRAWS_PER_STEP, _learn_in_chunks, train


class Notes:
    """Its state counts the updates; its loss is the first number of a chunk."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.states: list[float] = []
        self.seeds: list[list[int]] = []
        self.optimizer = types.SimpleNamespace(learning_rate=0.0)
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


@pytest.mark.parametrize(("batch_size", "batches"), [(10, 1), (8, 1), (7, 2), (11, 1)])
def test_an_epoch_ends_before_a_batch_that_would_be_more_than_half_repetition(
    batch_size: int, batches: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("music_composer.training.loop.save_checkpoint", lambda *_: None)
    dataset = dataset_of([np.zeros((11 * 10, 1, 1), np.float32)], window_steps=9, stack=1, held_out=0.0, seed=1)
    assert dataset.windows_in_epoch == 11
    model, state = Notes(), TrainState(1, job_epochs=3)
    options = TrainOptions(batch_size=batch_size, chunk_steps=9)
    train(model, dataset, options, state, tmp_path, lambda _: None, lambda _: None, lambda *_: None)
    assert len(model.chunks) == 3 * batches
    assert state.epoch == 3
