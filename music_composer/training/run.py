"""The run folder: everything that a trained model is, in one place.

options.json        what rebuilds the model: frame and model options, what was held out, versions
model.weights.h5    the best weights so far, encoding included
checkpoint.npz      the newest weights, optimiser state and position, for an exact resume
history.csv         a line an epoch
loss.png            the same as a picture
prompts/            excerpts of the music, so that `generate` needs nothing but this folder
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import music_composer
from music_composer.errors import RecordError, RunFolderError
from music_composer.files import read_json, reason, whole_file, write_json
from music_composer.options import FrameOptions, ModelOptions, TrainOptions, require_within
from music_composer.records import from_plain

MAGIC = "music-composer model"
VERSION = 4
OPTIONS = "options.json"
WEIGHTS = "model.weights.h5"
CHECKPOINT = "checkpoint.npz"
HISTORY = "history.csv"
LOSS_PLOT = "loss.png"
PROMPTS = "prompts"


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where a trained model lies, whatever it is."""

    folder: Path

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT


@dataclasses.dataclass(frozen=True)
class Run(RunFolder):
    """What a run folder of the audio model holds besides weights.

    window_steps: in a window; held_out: as in TrainOptions. They and the seed say which music was held out, for good.
    """

    frame: FrameOptions
    model: ModelOptions
    channels: int
    window_steps: int = TrainOptions.window_steps
    held_out: float = TrainOptions.held_out

    def __post_init__(self) -> None:
        require_within(self, 1, 2, "channels")
        require_within(self, 1, 1_000_000, "window_steps")
        require_within(self, 0.0, 0.9, "held_out")

    @property
    def size(self) -> int:
        """Numbers in one step of the model."""
        return self.model.stack * self.channels * self.frame.bands

    @property
    def step_seconds(self) -> float:
        return self.model.stack / self.frame.frames_per_second

    @property
    def prompts(self) -> Path:
        return self.folder / PROMPTS


def exists(folder: Path) -> bool:
    return (folder / OPTIONS).exists()


def begin(run: Run) -> None:
    """Makes a run folder; what an earlier run left in it goes."""
    plain = {
        "frame": dataclasses.asdict(run.frame),
        "model": dataclasses.asdict(run.model),
        "channels": run.channels,
        "window_steps": run.window_steps,
        "held_out": run.held_out,
    }
    begin_folder(run.folder, {"magic": MAGIC, "version": VERSION}, plain)


def read_run(folder: Path) -> Run:
    """Raises RunFolderError, with what to do, when there is no run or it is not ours."""
    with reading_options(folder, "music-composer", {"magic": MAGIC, "version": VERSION}) as plain:
        return from_plain(Run, {**plain, "folder": folder})


def begin_folder(folder: Path, label: dict[str, Any], plain: dict[str, Any]) -> None:
    """Writes what rebuilds a model, under its label of magic and version; what an earlier run left there goes."""
    for name in (OPTIONS, CHECKPOINT, WEIGHTS, HISTORY, LOSS_PLOT):
        (folder / name).unlink(missing_ok=True)
    write_json(folder / OPTIONS, {**label, **plain, "versions": versions()})


@contextlib.contextmanager
def reading_options(folder: Path, command: str, label: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The inverse: what was written under this label. Whatever goes wrong with it inside is a RunFolderError.

    command: that trains such a folder, for messages.
    """
    path = folder / OPTIONS
    if not path.exists():
        raise RunFolderError(f"{folder} holds no trained model: run `{command} train` first, or give -m")
    try:
        plain = read_json(path)
        if not isinstance(plain, dict) or plain.get("magic") != label["magic"]:
            raise ValueError(f"not a run folder of {command}")
        if plain.get("version") != label["version"]:
            raise RunFolderError(f"{path} was written by another version of music-composer: train again with --fresh")
        yield {name: value for name, value in plain.items() if name not in (*label, "versions")}
    except OSError as error:
        raise RunFolderError(f"{path} cannot be read: {reason(error)}") from error
    except (ValueError, RecordError) as error:
        raise RunFolderError(f"{path} is damaged or not ours ({error}): give another -m, or --fresh") from error


def versions() -> dict[str, str]:
    """What made a file: for run folders and for the JSON beside each WAV."""
    import keras
    import numpy

    return {
        "music_composer": music_composer.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "keras": keras.version(),
        "backend": keras.backend.backend(),
    }


def write_history(folder: Path, rows: list[dict[str, Any]]) -> None:
    """One line an epoch, columns named in the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with whole_file(folder / HISTORY) as part:
        part.write_text(text.getvalue(), encoding="utf-8")


def save_weights(model: Any, run: RunFolder) -> None:
    with whole_file(run.weights.with_name("model.weights.h5")) as part:
        named = part.with_name(".model.part.weights.h5")  # Keras insists on the suffix
        try:
            model.save_weights(named)
            named.replace(part)
        except (OSError, RuntimeError) as error:  # h5py raises either
            raise RunFolderError(f"{run.weights} cannot be written: {str(error)[:120]}") from error
        finally:
            named.unlink(missing_ok=True)


def load_weights(model: Any, run: RunFolder) -> None:
    """The inverse. Raises RunFolderError when the file is missing, cut short, or of another shape."""
    if not run.weights.exists():
        raise RunFolderError(f"{run.weights} is missing: run `music-composer train` to the end of an epoch first")
    try:
        model.load_weights(run.weights)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).strip().split("\n")[0][:120]
        raise RunFolderError(
            f"{run.weights} is damaged or of another model ({first}): "
            "`music-composer train` writes it again from checkpoint.npz, or train anew with --fresh"
        ) from error
