"""How soon a stream is heard, and how fast it plays on: one sample through the installed command.

    python benchmarks/speed/stream_speed.py WORK [--neurons 1024] [--layers 4] [--seconds 30] [--runs 3]

Makes an untrained network (its weights are random, which costs what trained ones cost) and a prompt of synthetic
sound in WORK, and reads `music-composer generate --stream -o -` from a pipe as fast as it comes. Times are from the
start of the process, and from the line in which it says that it plays, which is when the model is loaded. What comes
first is the prompt's last second; the first new music has to follow while it is heard, and "spare" is how much earlier
it does. The real-time factor is of the new music from the moment the model is loaded, and from its first piece on
("going").
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from music_composer.audio.continuation import run_folder
from music_composer.audio.continuation.networks import build_model
from music_composer.audio.linear_decoder import fit_decoder
from music_composer.audio.options import FrameOptions, ModelOptions
from music_composer.audio.pca import fit_encoding
from music_composer.audio.play_options import GenerateOptions
from music_composer.training import devices
from music_composer.training.weights import save_weights

COMMAND = Path(sys.executable).with_name("music-composer")
FRAME, CHANNELS, BYTES = FrameOptions(), 2, 4  # bytes of a 16-bit stereo sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--neurons", type=int, default=ModelOptions.neurons)
    parser.add_argument("--layers", type=int, default=ModelOptions.layers)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    _write_prompt(options.work / "prompt.wav")
    folder = options.work / f"model-{options.layers}x{options.neurons}"
    if not run_folder.exists(folder):
        _write_untrained(run_folder.Run(folder, FRAME, ModelOptions(options.neurons, options.layers), CHANNELS))
    print(f"{options.layers} x {options.neurons}, {options.seconds:g} s, load before: {os.getloadavg()[0]:.1f}\n")
    print(
        "| run | model loaded | first sound, from start | from model loaded | new music | spare | x real time | going |"
    )
    print("|---" * 8 + "|")
    figures = []
    for i in range(options.runs):
        figures.append(_stream(folder, options.work, options.seconds))
        print(_row(str(i + 1), figures[-1]), flush=True)
    print(_row("median", [statistics.median(column) for column in zip(*figures, strict=True)]))


def _row(name: str, figures: Any) -> str:
    times = " | ".join(f"{seconds:.2f} s" for seconds in figures[:5])
    return f"| {name} | {times} | {figures[5]:.2f} | {figures[6]:.2f} |"


def _stream(model: Path, work: Path, seconds: float) -> tuple[float, ...]:
    """Seconds, as `main` heads them, and real-time factors, of all and after the first new piece."""
    arguments = ["-m", model, "--prompt", work / "prompt.wav", "-s", f"{seconds:g}", "--seed", "1", "-o", "-"]
    started = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, "generate", "--stream", *map(str, arguments)],
        cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    said: list[tuple[float, str]] = []
    assert process.stdout and process.stderr
    listener = threading.Thread(target=_note_lines, args=(process.stderr, said))
    listener.start()
    arrived: list[tuple[float, int]] = []
    total = 0
    while piece := process.stdout.read(1 << 20):
        total += len(piece)
        arrived.append((time.monotonic(), total))
    listener.join()
    if process.wait():
        sys.exit("".join(line for _, line in said))
    loaded = next(at for at, line in said if line.startswith("playing"))
    lead = round(FRAME.rate * (1 - GenerateOptions.crossfade_seconds)) * BYTES  # the prompt's last second
    first, last = arrived[0][0], arrived[-1][0]
    new = next(at for at, size in arrived if size > lead)
    early = max(size for at, size in arrived if at < new + 0.05)
    return (
        loaded - started,
        first - started,
        first - loaded,
        new - loaded,
        first + lead / BYTES / FRAME.rate - new,
        (total - lead) / BYTES / FRAME.rate / (last - loaded),
        (total - early) / BYTES / FRAME.rate / (last - new),
    )


def _note_lines(stream: Any, said: list[tuple[float, str]]) -> None:
    for line in stream:
        said.append((time.monotonic(), line.decode()))


def _write_prompt(path: Path) -> None:
    rng = np.random.default_rng(0)
    t = np.arange(8 * FRAME.rate) / FRAME.rate
    notes = 220 * 2 ** (rng.integers(0, 24, 32) / 12)
    sound = 0.2 * np.sin(2 * np.pi * notes[(t * 4).astype(int)] * t) * np.exp(-4 * (t * 4 % 1))
    soundfile.write(path, np.stack([sound, np.roll(sound, 500)], axis=1), FRAME.rate)


def _write_untrained(run: run_folder.Run) -> None:
    devices.load_keras().utils.set_random_seed(1)
    model = build_model(run)
    bands = np.random.default_rng(0).normal(-5, 1, (2000, CHANNELS, FRAME.bands)).astype(np.float32)
    encoding = fit_encoding([bands], run.model.frames_per_step, run.model.components)
    model.set_encoding(encoding, fit_decoder([bands], run.model.frames_per_step, encoding, run.model.reach))
    begun = run_folder.begin(run)
    save_weights(model, begun.weights)
    for path in begun.folder.iterdir():
        path.rename(run.folder / path.name)


if __name__ == "__main__":
    main()
