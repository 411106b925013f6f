"""How near continuations come to the music they were learnt from: flow and regression heads in one table.

    python benchmarks/audio/continuation_quality.py CHORALES WORK [--epochs 60] ...

CHORALES/train and CHORALES/test hold WAVs. Trains both heads on train/ (20 minutes at most on 2 CPU cores), continues
prompts from test/, and prints the Frechet distance to the training set with a 95 % interval, frame-to-frame change and
loudness. Models and WAVs stay in WORK; a second call only measures, unless --fresh.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from music_composer.audio.continuation import run_folder
from music_composer.audio.play_options import GenerateOptions
from music_composer.data.options import FolderOptions
from music_composer.evaluation.audio.similarity.frechet_distance import (
    DistanceOptions,
    Reference,
    bootstrap_interval,
    features_of_files,
    frame_change,
    frechet,
    loudness_db,
    reference_of,
    window_features,
)
from music_composer.pipelines.audio import compose, generate
from music_composer.pipelines.audio.requests import GenerateRequest, NetworkChoice, TrainRequest
from music_composer.progress import terminal
from music_composer.training.options import TrainOptions

LEAD = GenerateOptions().lead_seconds  # of real sound at the front of a continuation: not measured


def main() -> None:
    options = _parse()
    measure = DistanceOptions()
    training = sorted((options.chorales / "train").glob("*.wav"))
    held_out = sorted((options.chorales / "test").glob("*.wav"))
    reference = reference_of(features_of_files(training, measure, trim=True), measure)
    rows = [("real, held out", held_out, 0.0, "")]
    for head in options.heads:
        made, note = _continuations(options, head, held_out)
        rows.append((head, made, LEAD, note))
    real = _change_and_level(held_out, 0.0, reference, measure)
    print("| music | files | windows | distance | 95 % interval | change | loudness | |\n" + "|---" * 8 + "|")
    for name, paths, skip, note in rows:
        print(_row(name, paths, skip, note, reference, measure, real), flush=True)
    for name, paths, skip, _ in rows[1:]:
        if options.seconds >= 120:
            _print_minutes(name, paths, skip, options.seconds, reference, measure, real)


def _print_minutes(
    name: str,
    paths: Sequence[Path],
    skip: float,
    seconds: float,
    reference: Reference,
    measure: DistanceOptions,
    real: tuple[float, float],
) -> None:
    """The same figures minute by minute, and the range of the minutes' loudness over the files."""
    print(f"\n{name}, {len(paths)} files\n\n| minute | distance | change | loudness | quietest and loudest file |")
    print("|---" * 5 + "|")
    for minute in range(int(seconds // 60)):
        start = round((skip + 60 * minute) * measure.rate)
        pieces = [soundfile.read(path, 60 * measure.rate, start, dtype="float32", always_2d=True)[0] for path in paths]
        distance = frechet(reference, np.concatenate([window_features(piece, measure) for piece in pieces]))
        change = np.mean([frame_change(piece, measure, reference.spread) for piece in pieces]) / real[0]
        levels = [loudness_db(piece) - real[1] for piece in pieces]
        print(
            f"| {minute + 1} | {distance:.1f} | {change:.2f} x | {np.mean(levels):+.1f} dB "
            f"| {min(levels):+.1f} to {max(levels):+.1f} dB |",
            flush=True,
        )


def _continuations(options: argparse.Namespace, head: str, held_out: Sequence[Path]) -> tuple[list[Path], str]:
    """Trains where there is nothing trained, and generates where there is nothing generated."""
    work = options.work / head
    folders = FolderOptions(options.chorales / "train", options.work / "train_data", work / "model")
    network = {"neurons": options.neurons, "layers": options.layers, "head": head}
    note = "trained before"
    started = time.monotonic()
    if options.fresh or not run_folder.exists(folders.model):
        training = TrainOptions(epochs=options.epochs, batch_size=options.batch, seed=options.seed)
        compose.train(TrainRequest(folders, NetworkChoice(**network), training, fresh=True), terminal())
        note = f"{(time.monotonic() - started) / 60:.1f} min of training"
    name = work / f"{options.seconds:g}s"
    made = [Path(f"{name}-{i}.wav") for i in range(options.count)]
    if options.fresh or not all(path.exists() for path in made):
        wanted = GenerateOptions(name=str(name), seconds=options.seconds, count=options.count, seed=options.seed)
        prompts = tuple(_prompts(held_out, options.work / "prompts", options.count))
        generate.generate(GenerateRequest(folders, sampling=wanted, prompts=prompts), terminal())
    return made, note


def _prompts(held_out: Sequence[Path], folder: Path, count: int) -> list[Path]:
    """Excerpts of the held-out music, evenly spread, so that no two continuations begin alike."""
    folder.mkdir(parents=True, exist_ok=True)
    prompts = []
    for i in range(count):
        source = held_out[i % len(held_out)]
        samples, rate = soundfile.read(source, always_2d=True)
        turns = -(-count // len(held_out))
        start = round((i // len(held_out) + 0.5) / turns * max(0, len(samples) - 9 * rate))
        prompts.append(folder / f"prompt-{i:02d}.wav")
        soundfile.write(prompts[-1], samples[start : start + 8 * rate], rate)
    return prompts


def _row(
    name: str,
    paths: Sequence[Path],
    skip: float,
    note: str,
    reference: Reference,
    measure: DistanceOptions,
    real: tuple[float, float],
) -> str:
    groups = [features_of_files([path], measure, skip) for path in paths]
    features = np.concatenate(groups)
    low, high = bootstrap_interval(reference, groups, np.random.default_rng(0))
    change, level = _change_and_level(paths, skip, reference, measure)
    return (
        f"| {name} | {len(paths)} | {len(features)} | {frechet(reference, features):.1f} | {low:.1f} to {high:.1f} "
        f"| {change:.3f} ({change / real[0]:.2f} x) | {level:.1f} dB ({level - real[1]:+.1f}) | {note} |"
    )


def _change_and_level(
    paths: Sequence[Path], skip: float, reference: Reference, measure: DistanceOptions
) -> tuple[float, float]:
    """Means over files, weighted by length."""
    changes, powers, lengths = [], [], []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True, start=round(skip * measure.rate))
        changes.append(frame_change(samples, measure, reference.spread))
        powers.append(10 ** (loudness_db(samples) / 10))
        lengths.append(len(samples))
    return float(np.average(changes, weights=lengths)), float(10 * np.log10(np.average(powers, weights=lengths)))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chorales", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--heads", nargs="+", default=["flow", "regression"])
    parser.add_argument("--neurons", type=int, default=384)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
