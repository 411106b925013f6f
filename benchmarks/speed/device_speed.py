"""Seconds an update, and seconds of continuations, of the whole program on the device that Keras finds.

Run `python benchmarks/speed/device_speed.py`; `KERAS_BACKEND=jax` or `torch` chooses another backend. The network is
the one of `music-composer -n 1024 -l 4`, on two hours of synthetic music in stereo. The first epoch, which builds the
graphs, is not counted. TFLOP/s counts six operations for each weight and time step, which leaves out all but matrix
products.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
RATE = 44100


def write_music(folder: Path, minutes: float) -> None:
    """Recordings of two minutes, each of random chords that decay."""
    folder.mkdir()
    time_in_second = np.arange(RATE) / RATE
    for number in range(max(1, round(minutes / 2))):
        rng = np.random.default_rng(number)
        pitches = 110 * 2 ** (rng.integers(0, 36, (120, 3)) / 12)
        chords = [np.sin(2 * np.pi * notes[:, None] * time_in_second).sum(axis=0) for notes in pitches]
        sound = 0.1 * np.concatenate(chords) * np.tile(np.exp(-3 * time_in_second), len(chords))
        soundfile.write(folder / f"{number}.flac", np.stack([sound, 0.7 * sound], axis=1), RATE)


def weights_of(model: Path) -> int:
    """The number of weights in a run folder's file of weights."""
    import h5py

    sizes: list[int] = []
    with h5py.File(model / "model.weights.h5") as file:
        file.visititems(lambda name, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    return sum(sizes)


def windows_an_epoch(model: Path, minutes: float, batch: int) -> tuple[int, int]:
    """Windows of an epoch, in whole batches, and time steps in each: a tenth of the recordings is held out."""
    kept = json.loads((model / "options.json").read_text(encoding="utf-8"))
    frames = 2 * 60 * kept["frame"]["rate"] / kept["frame"]["hop"]
    windows = math.ceil(frames / (kept["window_steps"] * kept["model"]["stack"]))
    windows *= round((1 - kept["held_out"]) * max(1, round(minutes / 2)))
    return max(1, round(windows / batch)) * batch, kept["window_steps"]


def train_row(options: argparse.Namespace, batch: int, folder: Path) -> Path:
    """Prints the figures of a training with batches of this size; returns its run folder."""
    import music_composer as mc

    model = folder / f"model-{batch}"
    mc.train(
        folder / "music",
        traindata=folder / "cache",
        model=model,
        head="flow",
        neurons=options.neurons,
        layers=options.layers,
        epochs=options.epochs,
        batch_size=batch,
        seed=1,
    )
    with (model / "history.csv").open(encoding="utf-8") as file:
        seconds = min(float(row["seconds"]) for row in list(csv.DictReader(file))[1:])
    windows, steps = windows_an_epoch(model, options.minutes, batch)
    flops = 6 * weights_of(model) * windows * steps / seconds
    print(f"{batch:>8}{seconds:>10.2f}{windows / seconds:>12.1f}{flops / 1e12:>10.3f}", flush=True)
    return model


def play_row(model: Path, count: int, seconds: float) -> None:
    """Prints how long a second call takes, which builds no graphs."""
    import music_composer as mc

    loaded = mc.load(model)
    for _ in range(2):
        start = time.perf_counter()
        music = loaded.generate(seconds=seconds, count=count, seed=1)
        took = time.perf_counter() - start
    level = 20 * np.log10(np.abs(np.stack([each.samples for each in music])[:, RATE:]).max())
    print(f"{count} continuations of {seconds:g} s: {took:.2f} s; their highest level is {level:.1f} dB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--neurons", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()

    from music_composer.training import devices

    devices.load_keras()
    print(devices.describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write_music(Path(folder) / "music", options.minutes)
        print("   batch   s/epoch   windows/s   TFLOP/s", flush=True)
        for batch in options.batches:
            model = train_row(options, batch, Path(folder))
        play_row(model, options.count, options.seconds)


if __name__ == "__main__":
    main()
