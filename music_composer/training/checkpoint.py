"""The exact state of a training run in one file, so that going on is the same as never having stopped.

checkpoint.npz   weights, optimiser variables and TrainState, one event
state.json       which job's music is written: a few bytes beside hundreds of MB
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from music_composer.errors import MusicComposerError, RunFolderError
from music_composer.files.atomic import read_json, reserve, whole_file, write_json
from music_composer.options import MOST_SEED, require_within
from music_composer.records import from_plain

STATE = "state.json"
COLUMNS = ("epoch", "loss", "held_out_loss", "learning_rate", "seconds")  # of the history
LARGEST_STATE = 2**28  # bytes of the LSTM's state
LONGEST_STATE = 64 * 2**20  # bytes of the state in a checkpoint: 100,000 epochs have a history of 20 MB
MOST = 2**40  # epochs and steps


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

    def __post_init__(self) -> None:
        require_within(self, 0, MOST_SEED, "seed")
        require_within(self, 0, MOST, "job_first", "job_epochs", "epoch", "batch", "step", "update")
        require_within(self, -1, MOST, "best_epoch")

    @property
    def job_done(self) -> bool:
        return self.epoch >= self.job_first + self.job_epochs


def save_checkpoint(path: Path, model: Any, state: TrainState) -> None:
    """All weights, all optimiser variables and the state, under one name at one moment."""
    arrays: dict[str, Any] = {f"weight_{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    arrays |= {f"optimizer_{i}": np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
    arrays |= {f"carried_{i}": part for i, part in enumerate(state.carried)}
    # Not every loss is finite before the first epoch has ended; JSON has no word for infinity.
    plain = dataclasses.asdict(dataclasses.replace(state, carried=[]))
    text = json.dumps(plain | {"best_loss": repr(state.best_loss), "carried": len(state.carried)})
    with whole_file(path) as part:
        reserve(part, sum(array.nbytes + 512 for array in arrays.values()) + 4 * len(text))
        with part.open("wb") as file:
            np.savez(file, state=np.array(text), **arrays)


def read_state(path: Path) -> TrainState | None:
    """The state alone; None when there is no checkpoint. Raises RunFolderError when it is damaged."""
    if not path.exists():
        return None
    with _opened(path) as archive:
        plain = json.loads(str(_text(archive)))
        best, count = float(plain.pop("best_loss")), plain.pop("carried", 0)
        if math.isnan(best):
            raise ValueError("its best loss is no number")
        state: TrainState = dataclasses.replace(from_plain(TrainState, plain), best_loss=best)
        state.carried = _carried(archive, count)
        if not all(_is_row(row) for row in state.history):
            raise ValueError("its history is no table of numbers")
    if state.job_owes_music and _written_job(path.with_name(STATE)) == _job(state):
        state.job_owes_music = False
    return state


def mark_generated(path: Path) -> None:
    """Notes that the music of the checkpoint's job is written: the same command now begins a new job."""
    state = read_state(path)
    if state and state.job_owes_music:
        write_json(path.with_name(STATE), {"music_written": _job(state)})


def load_checkpoint(path: Path, model: Any) -> None:
    """Puts weights and optimiser variables back; the inverse of `save_checkpoint`.

    Raises RunFolderError when the file is damaged or belongs to another model.
    """
    with _opened(path) as archive:
        weights = [_array(archive, f"weight_{i}", like) for i, like in enumerate(model.get_weights())]
        model.optimizer.build(model.trainable_variables)
        variables = list(model.optimizer.variables)
        optimizer = [_array(archive, f"optimizer_{i}", variable) for i, variable in enumerate(variables)]
        model.set_weights(weights)
        for variable, value in zip(variables, optimizer, strict=True):
            variable.assign(value)


def _job(state: TrainState) -> dict[str, int]:
    """What tells a job from all others of its run folder."""
    return {"seed": state.seed, "job_first": state.job_first, "job_epochs": state.job_epochs}


def _is_row(row: Any) -> bool:
    """Whether it is an epoch of a history, as `loop` writes it: each column a number, or text of one."""
    if not isinstance(row, dict) or row.keys() != set(COLUMNS):
        return False
    if row["held_out_loss"] == "":  # nothing is held out
        row = {**row, "held_out_loss": 0}
    return all(isinstance(each, int | float | str) and math.isfinite(float(each)) for each in row.values())


def _written_job(path: Path) -> Any:
    """Of which the music is written; None where that is not known: it is written once more."""
    try:
        plain = read_json(path, largest=65536)
        return plain.get("music_written") if isinstance(plain, dict) else None
    except (OSError, ValueError):
        return None


def _text(archive: zipfile.ZipFile) -> np.ndarray:
    with archive.open("state.npy") as file:
        shape, dtype, _ = _header(file)
        if shape != () or dtype.kind != "U" or dtype.itemsize > LONGEST_STATE:
            raise ValueError("its state is no text")
        return np.frombuffer(_exactly(file, dtype.itemsize), dtype)[0]


def _carried(archive: zipfile.ZipFile, count: int) -> list[np.ndarray]:
    """The state of the LSTM, whose shapes only the music and the network know: it is bounded as a whole."""
    found: list[np.ndarray] = []
    for i in range(count):
        with archive.open(f"carried_{i}.npy") as file:
            shape, dtype, _ = _header(file)
        if math.prod(shape) * dtype.itemsize + sum(array.nbytes for array in found) > LARGEST_STATE:
            raise ValueError("its LSTM state is too large")
        found.append(_array(archive, f"carried_{i}", np.broadcast_to(np.float32(0), shape)))
    return found


def _array(archive: zipfile.ZipFile, name: str, like: Any) -> np.ndarray:
    """An array of the shape of `like`; no more is read than that has, whatever the file says."""
    with archive.open(f"{name}.npy") as file:
        shape, dtype, order = _header(file)
        if shape != tuple(like.shape) or dtype.kind not in "fiub":
            raise ValueError(f"{name} has the shape {shape}, not {tuple(like.shape)}")
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(_exactly(file, count * dtype.itemsize), dtype).reshape(shape, order=order)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype, Literal["C", "F"]]:
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array has an unknown header")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, dtype, "F" if fortran else "C"


def _exactly(file: IO[bytes], size: int) -> bytes:
    """All that is left of an entry, which is as long as it must be; its checksum is compared at its end."""
    content = file.read(size + 1)
    if len(content) != size:
        raise ValueError("an array is cut short or too long")
    return content


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A checkpoint whose every way of being damaged names the file and the way out."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except MusicComposerError as error:
        raise _damaged(path, error) from error
    except Exception as error:  # zipfile, zlib, json and NumPy have a dozen kinds for a file that is damaged
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> RunFolderError:
    said = str(error)[:120] or type(error).__name__
    return RunFolderError(
        f"{path} is damaged or of another model ({said}): delete it to go on from "
        "model.weights.h5 without the optimiser's memory, or start again with --fresh"
    )
