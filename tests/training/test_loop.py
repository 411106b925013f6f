"""Chunks of a window, by a model that only notes what it is given."""

from __future__ import annotations

import copy
import itertools
import os
import signal
import types

import numpy as np
import pytest

from music_composer import stopping
from music_composer.audio.dataset.batches import WindowLoader
from music_composer.audio.dataset.windows import Segment, dataset_of
from music_composer.training.checkpoint import TrainState
from music_composer.training.learning_rate import learning_rate
from music_composer.training.loop import (
    DRAWS_PER_STEP,
    _learn_in_turn,
    averaged,
    compile_model,
    held_out_loss,
    train,
)
from music_composer.training.options import TrainOptions

pytestmark = pytest.mark.journey


class Notes:
    """Its state counts the updates; its loss is the first number of a chunk."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.states: list[float] = []
        self.seeds: list[list[int]] = []
        self.optimizer = types.SimpleNamespace(learning_rate=0.0, use_ema=False)
        self.noise_seed = types.SimpleNamespace(state=types.SimpleNamespace(assign=self.seeds.append))

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return [np.zeros((batch, 1), np.float32)]

    def test_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, np.ndarray]:
        return {"loss": inputs[0][0, 0, 0]}

    def train_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, np.ndarray]:
        windows, state = inputs
        self.chunks.append(windows[0, :, 0])
        self.states.append(float(state[0, 0]))
        return {"loss": windows[0, 0, 0], "state_0": state + 1}


def test_updates_follow_each_other_and_carry_the_state_on() -> None:
    model, state = Notes(), TrainState(7, step=3)
    chunks = [np.full((2, 4, 4), float(first)) for first in (0, 4, 8)]
    loss = _learn_in_turn(model, [[chunk] for chunk in chunks], state)
    assert [chunk[0] for chunk in model.chunks] == [0, 4, 8]
    assert model.states == [0, 1, 2]
    assert [place for _, place in model.seeds] == [step * DRAWS_PER_STEP for step in (3, 4, 5)]
    assert (state.step, loss) == (6, 4.0)


def test_what_is_held_out_counts_as_much_as_there_is_of_it() -> None:
    loader = types.SimpleNamespace(held_out=lambda: iter([([np.full((1, 1, 1), 2.0)], 3), ([np.zeros((1, 1, 1))], 1)]))
    assert held_out_loss(Notes(), loader) == 1.5
    assert held_out_loss(Notes(), types.SimpleNamespace(held_out=lambda: iter([]))) is None


@pytest.mark.parametrize(("batch_size", "batches"), [(10, 1), (8, 1), (7, 2), (11, 1)])
def test_an_epoch_ends_before_a_batch_that_would_be_more_than_half_repetition(batch_size: int, batches: int) -> None:
    dataset = dataset_of(
        [np.zeros((11 * 10, 1, 1), np.float32)], [Segment(0, 0, 110)], [], window_steps=9, frames_per_step=1
    )
    assert dataset.windows_in_epoch == 11
    model, state = Notes(), TrainState(1, job_epochs=3)
    loader = WindowLoader(dataset, batch_size, chunk_steps=9, time_stretch=0.1)
    train(model, loader, TrainOptions(), state, lambda _: None, lambda _: None)
    assert len(model.chunks) == 3 * batches
    assert state.epoch == 3


def test_what_is_judged_and_kept_is_the_mean_of_the_weights_if_asked() -> None:
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compute_loss = lambda x, y, y_pred, *rest, **more: keras.ops.mean(y_pred)
    compile_model(model, TrainOptions(average=0.5, learning_rate=0.1, weight_decay=0.0))
    mean = None
    for update in range(4):
        model.train_on_batch(np.ones((2, 1), np.float32))
        live, share = float(model.get_weights()[0][0, 0]), (1 + update) / (10 + update)
        mean = live if mean is None else share * mean + (1 - share) * live
    with averaged(model):
        assert float(model.get_weights()[0][0, 0]) == pytest.approx(mean)
    assert float(model.get_weights()[0][0, 0]) == pytest.approx(live)
    assert abs(mean - live) > 0.03


def test_without_a_mean_the_weights_are_what_they_are() -> None:
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    compile_model(model, TrainOptions())
    before = model.get_weights()
    with averaged(model):
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("stop_at", range(1, 10))
def test_a_training_that_is_stopped_anywhere_goes_on_as_if_it_had_not_been(stop_at: int) -> None:
    """Within a batch, between two, and while the epoch is judged: the same updates in the same states."""
    kept: list[TrainState] = []

    music = [np.arange(19 * 10, dtype=np.float32)[:, None, None]]
    parts = [Segment(0, 0, 130)], [Segment(0, 130, 190)]
    loader = WindowLoader(
        dataset_of(music, *parts, window_steps=12, frames_per_step=1), 4, chunk_steps=4, time_stretch=0.0
    )

    def run(model: Notes, state: TrainState) -> None:
        save = lambda state: kept.append(copy.deepcopy(state))  # noqa: E731
        train(model, loader, TrainOptions(), state, save, lambda _: None)

    whole, first, second = Notes(), Stops(stop_at), Notes()
    run(whole, TrainState(1, job_epochs=2))
    end = kept[-1]
    kept.clear()
    with pytest.raises(KeyboardInterrupt):
        run(first, TrainState(1, job_epochs=2))
    left = copy.deepcopy(kept[-1]) if kept else TrainState(1, job_epochs=2)
    done = left.step  # the first update after a checkpoint is not waited for: nothing is lost but itself
    run(second, left)
    assert len(whole.chunks) > 6
    assert len(first.chunks) <= done + 1
    for name in ("chunks", "states"):
        np.testing.assert_array_equal(getattr(first, name)[:done] + getattr(second, name), getattr(whole, name))
    told = [{**row, "seconds": 0} for row in kept[-1].history]
    assert told == [{**row, "seconds": 0} for row in end.history]
    assert (kept[-1].step, kept[-1].best_loss, kept[-1].update, kept[-1].carried) == (end.step, end.best_loss, 0, [])


class Stops(Notes):
    """Ctrl-C is pressed in its n-th call, of those that learn and of those that judge."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def press(self) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGINT)
            assert stopping.wait(10)

    def train_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, np.ndarray]:
        found = super().train_on_batch(inputs, return_dict)
        self.press()
        return found

    def test_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, np.ndarray]:
        self.press()
        return super().test_on_batch(inputs, return_dict)


def test_the_learning_rate_rises_then_falls() -> None:
    options = TrainOptions(learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(position, options) for position in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 10
    assert rates[-1] == pytest.approx(0.02)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
