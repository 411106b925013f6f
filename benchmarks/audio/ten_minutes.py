"""Ten minutes of continuation, of several kinds of music: flow, regression and the seed's recipe side by side.

    python benchmarks/audio/ten_minutes.py WORK piano=CHORALES strings=STRINGS demo [--picture ten-minutes.png]

Each kind is a folder with train/ and test/, and gets a name; `demo` alone is the demo's own music, made here. Trains
2 x 384 networks on train/, continues prompts of test/ for ten minutes without any watchdog (16 of the flow, 4 of the
others), and prints for each minute how far it is from the training music, and what share is stable, loops or falls
silent. Models, WAVs and figures stay in WORK; a second call makes nothing again that is there, and of a kind that was
judged it only prints the figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from seed_recipe import play_seed, train_seed

from music_composer.audio.continuation import run_folder
from music_composer.audio.play_options import GenerateOptions
from music_composer.data.options import FolderOptions
from music_composer.demo.dataset import write_dataset
from music_composer.evaluation.audio.analysis import MetricOptions, Span, analyze, reference_statistics_of
from music_composer.evaluation.audio.distances import distance_row, minute_rows
from music_composer.evaluation.audio.scorecard import stability_row
from music_composer.files.atomic import write_json
from music_composer.pipelines.audio import compose, generate
from music_composer.pipelines.audio.loaded import LoadedModel
from music_composer.pipelines.audio.reconstruction import write_coded
from music_composer.pipelines.audio.requests import GenerateRequest, NetworkChoice, TrainRequest
from music_composer.progress import terminal
from music_composer.records import to_plain
from music_composer.training.options import TrainOptions

NETWORK = {"neurons": 384, "layers": 2}
RECIPES = {"flow": 16, "regression": 4, "seed": 4}  # and how many continuations of each
PARTS = ("train", "test")
PROMPT_SECONDS, SECONDS = 8, 600
DEMO_MINUTES, DEMO_SEED = 8, 1
LEAD = GenerateOptions().lead_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("kinds", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--epochs", type=int, default=36)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    figures = {}
    for kind in options.kinds:
        name, _, folder = kind.partition("=")
        stored = options.work / name / "figures.json"
        if not stored.exists():
            music = Path(folder) if folder else _demo_music(options.work / name / "music")
            write_json(stored, _judge(music, options.work / name, options.epochs))
        figures[name] = json.loads(stored.read_text(encoding="utf-8"))
        _print(name, figures[name])
    if options.picture:
        _draw(figures, options.picture)


def _demo_music(folder: Path) -> Path:
    """The demo's music, and pieces by the same rules that are not in it."""
    if not (folder / "test").exists():
        write_dataset(folder / "train", DEMO_SEED, DEMO_MINUTES)
        write_dataset(folder / "test", DEMO_SEED + 1_000_000, 2)
    return folder


def _judge(music: Path, work: Path, epochs: int) -> dict[str, Any]:
    metrics = MetricOptions()
    prompts = _prompts(sorted((music / "test").glob("*.wav")), max(RECIPES.values()), work / "prompts")
    played = {recipe: _play(recipe, music, work, prompts[:count], epochs) for recipe, count in RECIPES.items()}
    recordings = {part: [Span(path, trim=True) for path in sorted((music / part).glob("*.wav"))] for part in PARTS}
    training, real = ([analyze(span, metrics) for span in recordings[part]] for part in PARTS)
    flow = run_folder.read_run(work / "model-flow")
    paths = [work / "codec" / f"{number:03d}.flac" for number in range(len(recordings["train"]))]
    write_coded(recordings["train"], paths, flow, LoadedModel(flow).network(flow), seed=1)
    coded = [analyze(Span(path, trim=True), metrics) for path in paths]
    statistics = reference_statistics_of(training, metrics, coded)
    figures: dict[str, Any] = {"real": to_plain(distance_row("real, held out", real, statistics, metrics))}
    for recipe, spans in played.items():
        made = [analyze(span, metrics) for span in spans]
        figures[recipe] = {
            "minutes": [to_plain(row) for row in minute_rows(made, statistics, metrics)],
            "survival": to_plain(stability_row(made, training, statistics, metrics)),
        }
    return figures


def _play(recipe: str, music: Path, work: Path, prompts: Sequence[Path], epochs: int) -> list[Span]:
    """Trains, and writes ten minutes after each prompt; what is there already stays."""
    spans = [Span(work / f"{recipe}-{i}.wav", 0.0 if recipe == "seed" else LEAD) for i in range(len(prompts))]
    if all(span.path.exists() for span in spans):
        return spans
    if recipe == "seed":
        model, deviation = train_seed(sorted((music / "train").glob("*.wav")), **NETWORK, epochs=epochs, seed=1)
        for prompt, span in zip(prompts, spans, strict=True):
            play_seed(model, deviation, prompt, SECONDS, span.path)
        return spans
    folders = FolderOptions(music / "train", work / "train_data", work / f"model-{recipe}")
    if not run_folder.exists(folders.model):
        training = TrainOptions(epochs=epochs, batch_size=16, seed=1)
        compose.train(TrainRequest(folders, NetworkChoice(**NETWORK, head=recipe), training), terminal())
    wanted = GenerateOptions(name=str(work / recipe), seconds=SECONDS, count=len(prompts), seed=1)
    generate.generate(GenerateRequest(folders, sampling=wanted, prompts=tuple(prompts)), terminal())
    return spans


def _prompts(recordings: Sequence[Path], count: int, folder: Path) -> list[Path]:
    """So many pieces of held-out recordings: one of each in turn, spread evenly over it."""
    folder.mkdir(parents=True, exist_ok=True)
    each = -(-count // len(recordings))
    prompts = []
    for i in range(count):
        samples, rate = soundfile.read(recordings[i % len(recordings)], always_2d=True)
        spare = max(0, len(samples) - PROMPT_SECONDS * rate)
        start = spare * (i // len(recordings) + 1) // (each + 1)
        prompts.append(folder / f"prompt-{i}.wav")
        soundfile.write(prompts[-1], samples[start : start + PROMPT_SECONDS * rate], rate)
    return prompts


def _print(name: str, figures: dict[str, Any]) -> None:
    real = figures["real"]
    print(f"\n{name}; held-out music reads {real['discrepancy']:.2f} ({real['low']:.2f} to {real['high']:.2f})\n")
    minutes = range(len(figures["flow"]["minutes"]))
    print(f"| recipe | {' | '.join(f'minute {i + 1}' for i in minutes)} | stable | loop | stuck | silent | slope |")
    print("|---" * (len(minutes) + 6) + "|")
    for recipe in RECIPES:
        rows, share = figures[recipe]["minutes"], figures[recipe]["survival"]
        cells = [f"{row['discrepancy']:.1f} ({row['loudness_db'] - real['loudness_db']:+.0f} dB)" for row in rows]
        cells += [f"{100 * share[key]:.0f} %" for key in ("survive", "loop", "caught", "silent")]
        print(f"| {recipe} | {' | '.join(cells)} | {share['slope_db_per_minute']:+.2f} dB/min |")


def _draw(figures: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    picture = Figure(figsize=(10, 3.6), layout="constrained")
    panels = np.atleast_1d(picture.subplots(1, len(figures), sharey=True))
    for panel, (name, each) in zip(panels, figures.items(), strict=True):
        for recipe in RECIPES:
            rows = each[recipe]["minutes"]
            panel.plot([row["minute"] for row in rows], [row["discrepancy"] for row in rows], marker=".", label=recipe)
        panel.axhline(each["real"]["discrepancy"], color="gray", linestyle="--", label="real, held out")
        panel.set_title(name)
        panel.set_xlabel("minute")
        panel.set_yscale("log")
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("distance from the music (discrepancy)")
    picture.legend(handles=panels[0].get_lines(), loc="outside lower center", ncols=len(RECIPES) + 1)
    picture.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
