"""The exact state of a training run in one file, so that going on is the same as never having stopped."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.errors import RunFolderError
from music_composer.files import whole_file


@dataclasses.dataclass
class TrainState:
    """Where a run stands. A job is one call of `train`: `job_epochs` epochs from `job_first` on."""

    seed: int
    job_first: int = 0
    job_epochs: int = 0
    epoch: int = 0  # the epoch that comes next, or that we are in
    batch: int = 0  # batches of it that are done
    step: int = 0  # updates of the weights in all epochs
    update: int = 0  # of them, those of the batch that we are in
    update_loss: float = 0.0  # sum of theirs
    carried: list[np.ndarray] = dataclasses.field(default_factory=list)  # state of the LSTM after the last of them
    loss_sum: float = 0.0  # of the batches of this epoch
    seconds: float = 0.0  # spent in this epoch
    best_loss: float = float("inf")
    best_epoch: int = -1
    music: str = ""  # digest of the dataset
    job_owes_music: bool = False  # the job is to generate once it is trained
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def job_done(self) -> bool:
        return self.epoch >= self.job_first + self.job_epochs


def save_checkpoint(path: Path, model: Any, state: TrainState) -> None:
    """All weights, all optimiser variables and the state, under one name at one moment."""
    arrays: dict[str, Any] = {f"weight_{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    arrays |= {f"optimizer_{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    arrays |= {f"carried_{i}": part for i, part in enumerate(state.carried)}
    # Not every loss is finite before the first epoch has ended; JSON has no word for infinity.
    plain = dataclasses.asdict(state) | {"best_loss": repr(state.best_loss), "carried": len(state.carried)}
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, state=np.array(json.dumps(plain)), **arrays)


def read_state(path: Path) -> TrainState | None:
    """The state alone; None when there is no checkpoint."""
    if not path.exists():
        return None
    with _opened(path) as arrays:
        plain = json.loads(str(arrays["state"]))
        carried = [arrays[f"carried_{i}"] for i in range(plain.get("carried", 0))]
        return TrainState(**(plain | {"best_loss": float(plain["best_loss"]), "carried": carried}))


def mark_generated(path: Path) -> None:
    """Notes that the job's music is written: the same command now begins a new job."""
    with _opened(path) as arrays:
        content: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    plain = json.loads(str(content.pop("state"))) | {"job_owes_music": False}
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, state=np.array(json.dumps(plain)), **content)


def load_checkpoint(path: Path, model: Any) -> None:
    """Puts weights and optimiser variables back; the inverse of `save_checkpoint`.

    Raises RunFolderError when the file is damaged or belongs to another model.
    """
    with _opened(path) as arrays:
        weights = [arrays[f"weight_{i}"] for i in range(len(model.get_weights()))]
        model.set_weights(weights)
        model.optimizer.build(model.trainable_variables)
        for i, variable in enumerate(model.optimizer.variables):
            variable.assign(arrays[f"optimizer_{i}"])


class _opened:
    """`np.load` whose every way of failing names the file and the way out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Any:
        try:
            self.arrays = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise self._damaged(error) from error
        return self.arrays

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.arrays.close()
        if isinstance(error, OSError | ValueError | KeyError | TypeError | zipfile.BadZipFile | EOFError):
            raise self._damaged(error) from error

    def _damaged(self, error: BaseException) -> RunFolderError:
        return RunFolderError(
            f"{self.path} is damaged or of another model ({str(error)[:120]}): delete it to go on from "
            "model.weights.h5 without the optimiser's memory, or start again with --fresh"
        )
