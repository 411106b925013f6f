"""The options of training. Defaults live here; those of each model of notes are in symbolic/options.py."""

from __future__ import annotations

import dataclasses

from music_composer.options import MOST, MOST_SEED, WIDEST, require_between
from music_composer.records import stored_as


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The loop."""

    epochs: int | None = None  # None: by how much music there is, see audio/models/sizing.py
    batch_size: int = 10
    window_steps: int = 512  # steps of the model that one training example spans, where there is music for it
    least_window_steps: int = 128  # what they are cut down to until there is a batch of them
    chunk_steps: int = 32  # of them between two updates of the weights
    # The share by which a window of sound is played faster or slower at most; its pitch stays.
    time_stretch: float = dataclasses.field(default=0.1, metadata=stored_as("stretch"))
    held_out: float = 0.1  # share of each recording that the model is only judged by
    learning_rate: float = 2e-3
    warmup: float = 0.05  # share of the run in which the learning rate rises
    clip_norm: float = 1.0
    weight_decay: float = 0.01
    average: float = 0.0  # share of the average of all weights so far that an update keeps; 0: the weights themselves
    flow_draws: int = 4  # points on the way from noise to music that each step is trained on
    checkpoint_seconds: float = 300.0  # an epoch that takes longer is saved on the way
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-e/--epochs", 1 if self.epochs is None else self.epochs, 1, MOST)
        require_between("-b/--batch-size", self.batch_size, 1, WIDEST)
        require_between("--eval-ratio", self.held_out, 0.0, 0.9)
        require_between("--seed", 0 if self.seed is None else self.seed, 0, MOST_SEED)
