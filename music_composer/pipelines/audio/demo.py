"""The demonstration: composes music, trains on it, continues it, and shows the result on a page."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

from music_composer.audio.continuation.metadata import read_cut
from music_composer.audio.options import FrameOptions
from music_composer.audio.play_options import GenerateOptions
from music_composer.audio.plots import plot_spectrogram
from music_composer.audio.reading.recording import read_excerpt
from music_composer.audio.wav import write_wav
from music_composer.context import SILENT, Context
from music_composer.data.options import FolderOptions
from music_composer.demo.dataset import write_dataset
from music_composer.demo.figures import figures_of
from music_composer.demo.page import DemoResult, write_page
from music_composer.files.locks import locked
from music_composer.files.outputs import Output, clean, require_free, staged
from music_composer.files.temporary import scratch_folder
from music_composer.pipelines.audio import compose, generate
from music_composer.pipelines.audio.requests import GenerateRequest, NetworkChoice, TrainRequest
from music_composer.progress import duration
from music_composer.training.beginning import LOSS_PLOT
from music_composer.training.devices import require_backend
from music_composer.training.options import TrainOptions

# Sized so that both trainings and all continuations take about two minutes on two cores.
MINUTES = 5  # of music to learn from
MEMORY = NetworkChoice(head="memory")
NETWORK = NetworkChoice(neurons=256, layers=2, head_width=256, head="flow")
TRAINING: dict[str, Any] = {"epochs": 12, "batch_size": 8, "window_steps": 64}
MANIFEST, PAGE = "demo.json", "index.html"
PROMPTS, PROMPT_SECONDS, NEW_SECONDS = 3, 8.0, 20.0
JUDGED_SECONDS = 14.0  # of new music: the songs of the composer continue for that long


def run_demo(folder: Path, seed: int, overwrite: bool = False, context: Context = SILENT) -> Path:
    """Writes recordings, cache, memory, model, continuations and `index.html` to `folder`. Returns the page.

    Raises OutputError where a file of somebody else is in the way, unless `overwrite`.
    """
    names = ("prompt-{}.wav", "prompt-{}.png", "rest-{}.wav")
    prompts = [f"prompts/{name.format(i)}" for i in range(1, PROMPTS + 1) for name in names]
    wanted = Output(folder / MANIFEST, (PAGE, "recordings/piece-01.wav", *prompts))
    require_free([wanted], overwrite)
    require_backend()
    with locked(folder):
        clean([wanted])
        return _demonstrated(folder, seed, overwrite, context)


def _demonstrated(folder: Path, seed: int, overwrite: bool, context: Context) -> Path:
    started = time.monotonic()
    folders = FolderOptions(folder / "recordings", folder / "train_data", folder / "model")
    memory = dataclasses.replace(folders, model=folder / "memory")
    context.say(f"composing {MINUTES:g} minutes of music into {folders.datasets}: the whole demo takes about 2 minutes")
    with staged(folder / MANIFEST, overwrite) as files:
        pieces = write_dataset(folders.datasets, seed, MINUTES, files.place)
        files.commit()
    prompts, rests = _write_prompts(folder, seed, overwrite)
    played = []
    for name, place, network in (("continuation", memory, MEMORY), ("network", folders, NETWORK)):
        # Fresh, since the recordings of an earlier demo may differ.
        request = TrainRequest(place, network, TrainOptions(**TRAINING, seed=seed), fresh=True)
        compose.train(request, context)
        options = GenerateOptions(
            name=str(folder / name),
            seconds=NEW_SECONDS,
            count=PROMPTS,
            prompt_seconds=PROMPT_SECONDS,
            overwrite=overwrite,
            seed=seed,
        )
        played.append(generate.generate(GenerateRequest(place, sampling=options, prompts=tuple(prompts)), context))
    results = [DemoResult(f"Song {i}", *each) for i, each in enumerate(zip(prompts, *played, strict=True), 1)]
    context.say("judging the continuations")
    after = {
        name: [(path, read_cut(path)) for path in paths]
        for name, paths in zip(("continuations", "continuations by the network"), played, strict=True)
    }
    figures = figures_of(pieces, prompts, rests, after, JUDGED_SECONDS)
    spent = duration(time.monotonic() - started)
    facts = {
        "Learnt from": f"{len(pieces)} pieces, {MINUTES:g} minutes, in {folders.datasets.name}/",
        "Prompts": f"the first {PROMPT_SECONDS:g} s of pieces by the same rules that are not among them",
        "Continuations": "--head memory: real steps of the prompt and of the pieces, in two layers; nothing is trained",
        "Network": f"{NETWORK.layers} LSTM layers of {NETWORK.neurons}, flow-matching head",
        "Training": f"{TRAINING['epochs']} epochs",
        "Whole demonstration": spent,
        "Seed": str(seed),
    }
    with staged(folder / MANIFEST, overwrite) as files:
        write_page(files.file(PAGE), results, folders.model / LOSS_PLOT, figures, facts)
        files.commit()
    context.say(f"the demo took {spent}")
    context.written(folder / PAGE)
    return folder / PAGE


def _write_prompts(folder: Path, seed: int, overwrite: bool) -> tuple[list[Path], list[Path]]:
    """Writes the openings of pieces outside of the training music, with spectrograms, and what follows them."""
    frame, prompts, rests = FrameOptions(), [], []
    with staged(folder / MANIFEST, overwrite) as files, scratch_folder() as scratch:
        # Another seed, so that no prompt is among the pieces to learn from. A piece lasts about half a minute: 0.4
        # minutes for each prompt make enough of them.
        for i, piece in enumerate(write_dataset(scratch, seed + 1_000_000, PROMPTS * 0.4)[:PROMPTS], 1):
            sound = read_excerpt(piece, frame.rate, 0.0, PROMPT_SECONDS + JUDGED_SECONDS).samples
            cut = round(PROMPT_SECONDS * frame.rate)
            name, rest = f"prompts/prompt-{i}", f"prompts/rest-{i}.wav"
            for file, part in ((f"{name}.wav", sound[:cut]), (rest, sound[cut:])):
                with write_wav(files.file(file), frame.rate, 2, "PCM_16") as writer:
                    writer.write(part)
            rests.append(folder / rest)
            plot_spectrogram(files.file(f"{name}.wav"), files.file(f"{name}.png"), frame)
            prompts.append(folder / f"{name}.wav")
        files.commit()
    return prompts, rests
