"""The run folder: everything that a trained model is, in one place.

options.json        what rebuilds the model: frame and model options, what was held out, versions
model.weights.h5    the best weights so far, encoding included
checkpoint.npz      the newest weights, optimiser state and position, for an exact resume
state.json          whether the music of the last job is written
history.csv         a line an epoch
loss.png            the same as a picture
prompts/            excerpts of the music, so that `generate` needs nothing but this folder
memory.json         what --head memory plays, by names of files in memory/
memory/             its steps and its sound
choice.json         which head plays where the folder has both, and why
.new/               the same of a training whose first epoch has not ended; what was there before is kept until then
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import music_composer
from music_composer.errors import RecordError, RunFolderError
from music_composer.files.atomic import read_json, reason, whole_file
from music_composer.files.run_layout import OPTIONS
from music_composer.training.beginning import CHECKPOINT, HISTORY, WEIGHTS, finish_settling, place_of

COMMAND = "music-composer"


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Where a trained model lies, whatever it is. command: whose `train` makes it, for messages."""

    folder: Path
    command: ClassVar[str] = COMMAND

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS

    @property
    def checkpoint(self) -> Path:
        return self.folder / CHECKPOINT


def exists(folder: Path) -> bool:
    """Whether there is a trained model, or one whose training has begun."""
    return (place_of(folder) / OPTIONS).exists()


@contextlib.contextmanager
def reading_options(folder: Path, command: str, label: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What options.json holds under this label. Whatever goes wrong with it inside is a RunFolderError.

    command: that trains such a folder, for messages.
    """
    finish_settling(folder)
    path = folder / OPTIONS
    if not path.exists():
        begun = ", whose first epoch has not ended" if place_of(folder) != folder else ""
        raise RunFolderError(f"{folder} holds no trained model{begun}: run `{command} train` first, or give -m")
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
    """What made a file: for run folders and for the JSON beside each WAV. Of Keras only where it took part."""
    import numpy

    found = {
        "music_composer": music_composer.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
    }
    if "keras" in sys.modules:
        import keras

        found |= {"keras": keras.version(), "backend": keras.backend.backend()}
    return found


def write_history(folder: Path, rows: list[dict[str, Any]]) -> None:
    """One line an epoch, columns named in the first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with whole_file(folder / HISTORY) as part:
        part.write_text(text.getvalue(), encoding="utf-8")
