"""Trains a small network with others, and writes its losses and weights: a process of tests.

python -m tests.training.trained_by_ranks RANK FILE ADDRESS...     # without addresses: by itself
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.context import Context
from music_composer.stopping import Stopped
from music_composer.training import devices, ranks
from music_composer.training.checkpoint import TrainState, load_checkpoint, read_state, save_checkpoint
from music_composer.training.options import TrainOptions

BATCH, UPDATES, CHUNKS = 5, 40, 2  # two ranks get two and three rows
STOPPED = 7  # updates after which several are stopped, in the middle of a batch


class Windows:
    """Batches of the numbers of `small_network`, in two updates each; three parts are held out."""

    batches = UPDATES // CHUNKS

    def __init__(self, music: np.ndarray, rows: Any) -> None:
        self.music, self.rows = music, slice(rows.start, rows.stop) if rows else slice(None)

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[list[list[np.ndarray]]]:
        for batch in range(first, self.batches):
            chosen = np.random.default_rng([seed, epoch, batch]).integers(len(self.music), size=BATCH)
            windows = self.music[chosen][self.rows]
            yield [[windows[:, :11]], [windows[:, 10:]]]

    def held_out(self) -> Iterator[tuple[list[np.ndarray], int]]:
        for i in range(3):
            yield [self.music[4 * i : 4 * i + 4]], i + 1


def main() -> None:
    rank, file, addresses = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    kept: list[Any] = []
    devices.load_keras(lambda: kept.append(ranks.connect(addresses, rank, threads=1)) if addresses else None)
    losses: list[float] = []
    stopping = threading.Event()
    if not addresses:
        model, state = trained(ranks.ALONE, TrainState(3, job_epochs=1), losses, stopping, None, None)
    else:
        # Stopped in the middle of a batch, because the last of them is asked to; then it goes on with a new model.
        together = ranks.TensorFlowRanks(
            rank, len(addresses), BATCH, lambda: rank > 0 and len(losses) == STOPPED - 1, stopping
        )
        checkpoint = file.with_name("checkpoint.npz")
        with contextlib.suppress(Stopped):
            trained(together, TrainState(3, job_epochs=1), losses, stopping, checkpoint, None)
        assert len(losses) == STOPPED
        stopping.clear()
        together.total([0.0])  # until rank 0 has written
        state = read_state(checkpoint)
        assert state is not None
        assert [len(part) for part in state.carried] == [BATCH] * len(state.carried) != []
        model, state = trained(together, state, losses, stopping, None, checkpoint)
    weights = {f"weight_{i}": weight for i, weight in enumerate(model.get_weights())}
    np.savez(file, losses=losses, held_out=state.history[0]["held_out_loss"], **weights)


def trained(
    together: ranks.Ranks, state: TrainState, losses: list[float], stopping: Any, save: Path | None, load: Path | None
) -> tuple[Any, TrainState]:
    """Returns the model after training. save: where rank 0 writes its checkpoint. load: with which it begins."""
    from music_composer.training.loop import compile_model, train
    from tests.audio.models.small_network import model_of, windows

    class Noted:
        """The ranks, which note each mean loss."""

        def __getattr__(self, name: str) -> Any:
            return getattr(together, name)

        def mean(self, loss: float) -> float:
            losses.append(together.mean(loss))
            return losses[-1]

    def write(state: TrainState) -> None:
        assert together.rank == 0
        if save:
            save_checkpoint(save, model, state)

    model = model_of(dropout=0.2)
    options = TrainOptions(learning_rate=1e-2, average=0.9)
    compile_model(model, options)
    if load:
        load_checkpoint(load, model)
    loader, context = Windows(windows(12), together.rows), Context(cancelled=stopping.is_set)
    noted: Any = Noted()
    train(model, loader, options, state, write, lambda state: None, context, noted)
    return model, state


if __name__ == "__main__":
    main()
