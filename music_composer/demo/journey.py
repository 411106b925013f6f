"""The demonstration: composes music, runs the whole job on it with a small network, and shows the result on a page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from music_composer import compose, play_audio, plots
from music_composer.audio.recording import read_excerpt
from music_composer.audio.wav import write_wav
from music_composer.demo.dataset import write_dataset
from music_composer.demo.page import DemoResult, write_page
from music_composer.leftovers import scratch_folder
from music_composer.locks import locked
from music_composer.options import FolderOptions, FrameOptions, GenerateOptions, TrainOptions
from music_composer.outputs import Output, clean, require_free, staged
from music_composer.training.beginning import LOSS_PLOT
from music_composer.training.devices import require_backend
from music_composer.training.progress import duration, say

MINUTES = 5  # of music to learn from
NETWORK = {"neurons": 256, "layers": 2, "head_width": 256}
TRAINING: dict[str, Any] = {"epochs": 60, "batch_size": 8, "window_steps": 64}
MANIFEST, PAGE = "demo.json", "index.html"
PROMPTS, PROMPT_SECONDS, NEW_SECONDS = 3, 8.0, 20.0


def run_demo(folder: Path, seed: int, overwrite: bool = False) -> Path:
    """Leaves recordings, cache, model, continuations and `index.html` in `folder`; returns the page.

    Raises OutputError where a file is in the way that is not ours, unless `overwrite`.
    """
    prompts = [f"prompts/prompt-{i}{suffix}" for i in range(1, PROMPTS + 1) for suffix in (".wav", ".png")]
    wanted = Output(folder / MANIFEST, (PAGE, "recordings/piece-01.wav", *prompts))
    require_free([wanted], overwrite)
    require_backend()
    with locked(folder):
        clean([wanted])
        return _demonstrated(folder, seed, overwrite)


def _demonstrated(folder: Path, seed: int, overwrite: bool) -> Path:
    started = time.monotonic()
    folders = FolderOptions(folder / "recordings", folder / "train_data", folder / "model")
    say(f"composing {MINUTES:g} minutes of music into {folders.datasets}: the whole demo takes about 3 minutes")
    with staged(folder / MANIFEST, overwrite) as files:
        pieces = write_dataset(folders.datasets, seed, MINUTES, files.place)
        files.commit()
    prompts = _write_prompts(folder, seed, overwrite)
    compose.train(folders, NETWORK, TrainOptions(**TRAINING, seed=seed), fresh=True)
    options = GenerateOptions(
        name=str(folder / "continuation"),
        seconds=NEW_SECONDS,
        count=PROMPTS,
        prompt_seconds=PROMPT_SECONDS,
        overwrite=overwrite,
        seed=seed,
    )
    continuations = play_audio.generate(folders, options, prompts)
    results = [
        DemoResult(f"Song {i}", prompt, prompt.with_suffix(".png"), made, made.with_suffix(".png"))
        for i, (prompt, made) in enumerate(zip(prompts, continuations, strict=True), 1)
    ]
    spent = duration(time.monotonic() - started)
    facts = {
        "Learnt from": f"{len(pieces)} pieces, {MINUTES:g} minutes, in {folders.datasets.name}/",
        "Prompts": "pieces by the same rules that the network has never heard",
        "Network": f"{NETWORK['layers']} LSTM layers of {NETWORK['neurons']}, flow-matching head",
        "Training": f"{TRAINING['epochs']} epochs",
        "Whole demonstration": spent,
        "Seed": str(seed),
    }
    with staged(folder / MANIFEST, overwrite) as files:
        write_page(files.file(PAGE), results, folders.model / LOSS_PLOT, facts)
        files.commit()
    say(f"the demo took {spent}")
    return folder / PAGE


def _write_prompts(folder: Path, seed: int, overwrite: bool) -> list[Path]:
    """The openings of pieces that are not among those to learn from, with their spectrograms."""
    frame, prompts = FrameOptions(), []
    with staged(folder / MANIFEST, overwrite) as files, scratch_folder() as scratch:
        for i, piece in enumerate(write_dataset(scratch, seed + 1_000_000, PROMPTS * 0.4)[:PROMPTS], 1):
            sound = read_excerpt(piece, frame.rate, 0.0, PROMPT_SECONDS)
            name = f"prompts/prompt-{i}"
            with write_wav(files.file(f"{name}.wav"), frame.rate, 2, "PCM_16") as writer:
                writer.write(sound.samples)
            plots.plot_spectrogram(files.file(f"{name}.wav"), files.file(f"{name}.png"), frame)
            prompts.append(folder / f"{name}.wav")
        files.commit()
    return prompts
