"""The base of all networks of notes: they return log likelihoods, and these are their loss."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from music_composer.records import from_plain, to_plain

Tensor = Any


class LikelihoodModel(keras.Model):
    """A network that returns natural log likelihoods, 0 where the mask is 0. The mask is its last input.

    The loss is the mean negative log likelihood in nats. Batches are independent: no state is carried between them.
    """

    RECORD: ClassVar[type]  # of its options

    def __init__(self, options: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options = options
        # The only source of randomness in training. The loop sets it before each step, so that a step can be repeated.
        self.noise_seed = keras.random.SeedGenerator(0)

    def build(self, shape: Any = None) -> None:
        """Marks the network as built. Layers build themselves at their first call; this saves Keras one more graph."""
        self.built = True

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        # Keras passes the inputs as x; the mask is the last of them.
        return -ops.sum(y_pred) / ops.maximum(ops.sum(x[-1]), 1.0)

    def compute_metrics(self, x: Tensor, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> dict[str, Tensor]:
        return {"loss": self.compute_loss(x, y_pred=y_pred)}

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return []

    def dropped(self, x: Tensor, training: bool, rate: float | None = None) -> Tensor:
        """Applies dropout while training. rate: by default the options' `dropout`."""
        rate = self.options.dropout if rate is None else rate
        if not training or not rate:
            return x
        # The mask is drawn in float32 for any dtype of x: bfloat16 has so few random values that the rate would be off.
        mask = keras.random.dropout(ops.ones_like(x, dtype="float32"), rate, seed=self.noise_seed)
        return x * ops.cast(mask, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "options": to_plain(self.options)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LikelihoodModel:
        return cls(**{**config, "options": from_plain(cls.RECORD, config["options"])})
