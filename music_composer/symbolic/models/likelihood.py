"""What the networks of all models of notes have in common: they give log likelihoods, and learn by these."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from music_composer.records import from_plain

Tensor = Any


class LikelihoodModel(keras.Model):
    """A network whose output is natural log likelihoods, 0 where nothing counts; the last of its inputs says what does.

    The loss is nats each. Nothing is carried from batch to batch.
    """

    RECORD: ClassVar[type]  # of its options

    def __init__(self, options: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options = options
        # All randomness of training; the loop sets it before each step, so that any step can be replayed.
        self.noise_seed = keras.random.SeedGenerator(0)

    def build(self, shape: Any = None) -> None:
        """Nothing: layers build themselves as they are first called, which saves Keras a graph that nobody runs."""
        self.built = True

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        return -ops.sum(y_pred) / ops.maximum(ops.sum(x[-1]), 1.0)

    def compute_metrics(self, x: Tensor, y: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> dict[str, Tensor]:
        return {"loss": self.compute_loss(x, y_pred=y_pred)}

    def initial_state(self, batch: int) -> list[np.ndarray]:
        return []

    def dropped(self, x: Tensor, training: bool, share: float | None = None) -> Tensor:
        """With dropout while training, of `share`, or as the options say."""
        share = self.options.dropout if share is None else share
        if not training or not share:
            return x
        # In float32 whatever x is: of the few numbers that bfloat16 can draw, not just the share lies below the share.
        kept = keras.random.dropout(ops.ones_like(x, dtype="float32"), share, seed=self.noise_seed)
        return x * ops.cast(kept, x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "options": dataclasses.asdict(self.options)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LikelihoodModel:
        return cls(**{**config, "options": from_plain(cls.RECORD, config["options"])})
