"""A training of a network of a few numbers, and what its run folder holds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.audio.continuation import run_folder
from music_composer.audio.options import FrameOptions, network_of
from music_composer.context import SILENT, Context
from music_composer.errors import RunFolderError
from music_composer.files.locks import locked
from music_composer.training.beginning import (
    NEW,
)
from music_composer.training.checkpoint import load_checkpoint, read_state, save_checkpoint
from music_composer.training.job import next_job, run_job
from music_composer.training.options import TrainOptions
from music_composer.training.weights import load_weights
from tests.training.numbers_model import Counting, Numbers

MODEL = network_of({"neurons": 3})
JOB = TrainOptions(epochs=2, seed=5)


def train(
    home: Path, fresh: bool = False, seed: int = 5, options: TrainOptions = JOB, context: Context = SILENT
) -> None:
    """A training as the journeys do it, of a network of a few numbers."""
    with locked(home):
        old = run_folder.going_on(home, fresh)
        run = old or run_folder.Run(home / NEW, FrameOptions(), MODEL, 1)
        state = next_job(read_state(run.checkpoint) if old else None, options, "music", True, lambda line: None)
        if state.job_done:
            return
        state.seed = seed if not old else state.seed
        model = Numbers(state.seed)
        if old:
            load_checkpoint(run.checkpoint, model)
        else:

            def fill(folder: Path) -> None:
                (folder / "prompts").mkdir()
                (folder / "prompts" / "prompt-0.flac").write_text(f"prompt of {seed}")
                save_checkpoint(folder / "checkpoint.npz", model, state)

            run_folder.begin(run, fill)
        run_job(model, Counting(), run, options, state, context)


def content(home: Path) -> dict[str, Any]:
    """What a run folder holds, without the time that it took."""
    state = read_state(home / "checkpoint.npz")
    assert state
    model = Numbers(0)
    load_checkpoint(home / "checkpoint.npz", model)
    best = Numbers(0)
    load_weights(best, home / "model.weights.h5")
    return {
        "weights": [weight.tolist() for weight in model.get_weights()],
        "best": [weight.tolist() for weight in best.get_weights()],
        "optimizer": [np.asarray(variable.value).tolist() for variable in model.optimizer.variables],
        "state": (state.seed, state.epoch, state.step, state.job_first, state.best_loss),
        "history": [row["loss"] for row in csv.DictReader((home / "history.csv").open())],
        "prompt": (home / "prompts" / "prompt-0.flac").read_text(),
        "options": json.loads((home / "options.json").read_text()),
        "names": sorted(
            path.relative_to(home).as_posix() for path in home.rglob("*") if ".part" not in str(path.relative_to(home))
        ),
    }


def generates(home: Path) -> int | None:
    """The seed of the model that `generate` plays with; None where there is none, and it is said."""
    try:
        run_folder.read_run(home)
    except RunFolderError as error:
        assert "holds no trained model" in str(error)  # noqa: PT017
        return None
    model = Numbers(0)
    load_weights(model, home / "model.weights.h5")
    return int(model.get_weights()[0][0])
