"""Training and generation on the other Keras backends, where they are installed."""

from __future__ import annotations

import csv
import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from music_composer.audio.options import FrameOptions
from music_composer.audio.spectrogram import waveform_to_frames
from music_composer.values import Waveform
from tests.command import LONGEST_SECONDS, SHORT, tune, write
from tests.command import TINY as TINY_AUDIO
from tests.symbolic.tunes import TINY as TINY_NOTES
from tests.symbolic.tunes import write_tune

pytestmark = pytest.mark.journey

OTHERS = [
    pytest.param(name, marks=pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"{name} is not installed"))
    for name in ("jax", "torch")
]


def run(backend: str, *arguments: str, cwd: Path) -> None:
    """Runs the command on a backend; fails with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "music_composer", *arguments],
        cwd=cwd,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    assert done.returncode == 0, done.stderr


def losses(folder: Path) -> list[float]:
    with (folder / "history.csv").open(encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("backend", OTHERS)
def test_audio_trains_and_weights_play_alike_on_tensorflow(backend: str, tmp_path: Path) -> None:
    for i in range(2):
        write(tmp_path / "input_music_dataset" / f"{i}.wav", tune(12, seed=i, channels=1))
    run(backend, "train", *TINY_AUDIO, "--seed", "3", cwd=tmp_path)
    assert all(map(math.isfinite, losses(tmp_path / "model")))
    bands = []
    for each in (backend, "tensorflow"):
        run(each, "generate", *SHORT, "-o", each, "--seed", "3", cwd=tmp_path)
        samples, rate = soundfile.read(tmp_path / f"{each}-0.wav", dtype="float32", always_2d=True)
        bands.append(waveform_to_frames(Waveform(samples, rate), FrameOptions()).bands)
    difference = np.abs(bands[0].astype(np.float32) - bands[1].astype(np.float32))
    assert np.median(difference) < 0.01, np.median(difference)


@pytest.mark.parametrize("backend", OTHERS)
def test_notes_train_and_weights_play_alike_on_tensorflow(backend: str, tmp_path: Path) -> None:
    for seed in range(3):
        write_tune(tmp_path / "input_music_dataset" / f"{seed}.mid", seed)
    run(backend, "midi", "train", *TINY_NOTES, cwd=tmp_path)
    assert all(map(math.isfinite, losses(tmp_path / "midi_model")))
    for each in (backend, "tensorflow"):
        run(each, "midi", "generate", "-g", "1", "--num-steps", "16", "-o", each, "--seed", "1", cwd=tmp_path)
    assert (tmp_path / f"{backend}-0.mid").read_bytes() == (tmp_path / "tensorflow-0.mid").read_bytes()
