"""A network of a few numbers that learns by counting: what the training loop takes, without Keras."""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np


class Variable:
    """As Keras has them, as far as they are used."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> np.dtype:
        return self.value.dtype

    def assign(self, value: Any) -> None:
        self.value = np.array(value, self.value.dtype).reshape(self.value.shape)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.value


class Numbers:
    """Its first weight is its seed; the others follow from what it was given. The loss becomes less."""

    def __init__(self, seed: int) -> None:
        self.weights = [Variable(np.full(4, seed, np.float32)), Variable(np.zeros((3, 2), np.float32))]
        self.trainable_variables = self.trainable_weights = self.weights
        self.noise_seed = types.SimpleNamespace(state=Variable(np.zeros(2, np.int64)))
        self.optimizer = types.SimpleNamespace(
            learning_rate=0.0,
            use_ema=False,
            variables=[Variable(np.zeros((3, 2), np.float32)), Variable(np.zeros((), np.int64))],
            build=lambda variables: None,
        )

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return []

    def train_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, float]:
        memory, count = self.optimizer.variables
        heard = float(inputs[0].mean()) * float(self.noise_seed.state.value[1]) * 1e-6
        memory.value = np.float32(0.9) * memory.value + np.float32(heard)
        count.value = np.asarray(count.value + 1)
        self.weights[1].value = self.weights[1].value + memory.value * np.float32(self.optimizer.learning_rate)
        return {"loss": 1 / (1 + float(count.value))}

    def test_on_batch(self, inputs: list[np.ndarray], return_dict: bool) -> dict[str, float]:
        return {"loss": 1.0}

    def get_weights(self) -> list[np.ndarray]:
        return [weight.value for weight in self.weights]

    def set_weights(self, values: list[np.ndarray]) -> None:
        for weight, value in zip(self.weights, values, strict=True):
            weight.assign(value)

    def save_weights(self, path: Path) -> None:
        with h5py.File(path, "w") as file:
            for number, weight in enumerate(self.weights):
                file.create_dataset(f"layers/{number}", data=weight.value)

    def load_weights(self, path: Path) -> None:
        with h5py.File(path, "r") as file:
            self.set_weights([file[f"layers/{number}"][...] for number in range(len(self.weights))])


class Counting:
    """Batches whose numbers follow from seed, epoch and batch."""

    batches = 3

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[list[list[np.ndarray]]]:
        for batch in range(first, self.batches):
            rng = np.random.default_rng([seed, epoch, batch])
            yield [[rng.normal(size=(2, 3)).astype(np.float32)]]

    def held_out(self) -> Iterator[Any]:
        return iter(())
