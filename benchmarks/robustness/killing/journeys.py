"""What is killed: whole journeys, with a network of a few numbers in place of the real ones, or with the real ones."""

from __future__ import annotations

import base64
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile

Work = Callable[[], Any]
RATE = 44100
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)  # a picture
AUTO = ["-d", "music", "-n", "8", "-l", "1", "-b", "2", "-s", "0.3", "-g", "2", "--seed", "3"]
AUDIO = [*AUTO, "--head", "flow"]
MEMORY = ["-d", "music", "--head", "memory", "-s", "0.3", "-g", "2", "--seed", "3"]
MIDI = ["midi", "-d", "music", "--model", "polyphony", "-n", "8", "-l", "1", "-b", "2", "-g", "2", "--num-steps", "16"]
MIDI += ["--seed", "3"]
EVOLVE = ["midi", "evolve", "music/tune-0.mid", "--models", "8", "--select-models", "4", "--generations", "4"]
EVOLVE += ["--write-interval", "2", "--save", "--seed", "3", "-o", "evolved"]

# Commands of each journey: those before the last have ended when the last is killed.
JOURNEYS: dict[str, list[list[str]]] = {
    "prepare": [["prepare", "-d", "music"]],
    "audio": [[*AUDIO, "-e", "2"]],
    "audio, trained further": [[*AUDIO, "-e", "1"], [*AUDIO, "-e", "2"]],
    "audio, generated again": [[*AUDIO, "-e", "1"], ["generate", "-d", "music", "-s", "0.3", "-g", "2", "--seed", "4"]],
    "audio, anew": [[*AUDIO, "-e", "1"], [*AUDIO, "-e", "2", "--fresh"]],
    "auto": [[*AUTO, "-e", "1"]],
    "auto, anew": [[*AUTO, "-e", "1"], [*AUTO, "-e", "1", "--fresh"]],
    "memory": [MEMORY],
    "memory, generated again": [MEMORY, ["generate", "-d", "music", "-s", "0.3", "-g", "2", "--seed", "4"]],
    "memory, anew": [MEMORY, [*MEMORY, "--fresh"]],
    "midi": [[*MIDI, "-e", "2"]],
    "midi, trained further": [[*MIDI, "-e", "1"], [*MIDI, "-e", "2"]],
    "midi, generated again": [[*MIDI, "-e", "1"], ["midi", "generate", "-g", "2", "--num-steps", "16", "--seed", "4"]],
    "render": [["midi", "render", "music/tune-0.mid", "-o", "rendered"]],
    "evolve": [EVOLVE],
}
REAL = ("audio", "midi", "audio, trained further", "prepare", "render", "evolve")


def command(arguments: list[str]) -> Work:
    """The command line in this process."""

    def work() -> None:
        from music_composer.cli.commands import cli

        cli(arguments, standalone_mode=False)

    return work


def write_inputs(folder: Path) -> None:
    """Two songs and three tunes, of the same bytes each time."""
    sys.path.insert(0, str(Path(__file__).parents[3]))
    from tests.command import tune
    from tests.symbolic.tunes import write_tune

    folder.mkdir(parents=True)
    for number in range(2):
        soundfile.write(folder / f"song-{number}.wav", tune(5, seed=number), RATE)
    for number in range(3):
        write_tune(folder / f"tune-{number}.mid", number)


@contextlib.contextmanager
def stand_ins() -> Iterator[None]:
    """While inside, networks are a few numbers (tests/training/numbers_model.py), pictures are a dot, nothing syncs."""
    from matplotlib.figure import Figure

    from music_composer.audio.continuation import network_player, registry
    from music_composer.pipelines.audio import compose
    from music_composer.pipelines.symbolic import generate
    from music_composer.pipelines.symbolic.loaded import LoadedModel
    from music_composer.symbolic.composition import networks
    from music_composer.training import devices

    patches: list[tuple[Any, str, Any]] = [
        (os, "fsync", lambda file: None),
        (Figure, "savefig", lambda figure, path, **options: Path(path).write_bytes(DOT)),
        (devices, "load_keras", lambda: None),
        (devices, "require_backend", lambda: None),
        (devices, "describe", lambda: "no network"),
        (compose, "trainable_network", _trainable),
        (registry, "trained_network", _trained),
        (network_player, "continue_prompts", _frames),
        (networks, "trainable_network", _trainable_on_notes),
        (networks, "trained_network", _trained),
        (generate, "play", _rolls),
        (LoadedModel, "player", None),
    ]
    with contextlib.ExitStack() as patched:
        for place, name, value in patches:
            patched.enter_context(mock.patch.object(place, name, value))
        yield


def _trainable(run: Any, music: Any, options: Any, state: Any, going_on: bool, say: Any) -> Any:
    from music_composer.training.job import restore
    from tests.training.numbers_model import Numbers

    model = Numbers(state.seed)
    if going_on:
        restore(model, run, say)
    return model


def _trainable_on_notes(run: Any, options: Any, seed: int, say: Any, going_on: bool = True) -> Any:
    from music_composer.training.checkpoint import TrainState

    return _trainable(run, None, options, TrainState(seed), going_on, say)


def _trained(run: Any, options: Any = None) -> Any:
    from music_composer.training.weights import load_weights
    from tests.training.numbers_model import Numbers

    model: Any = Numbers(0)
    load_weights(model, run.weights)
    model.options = run.model
    return model


def _frames(model: Any, prompts: Any, rngs: Any, options: Any, steps: int) -> Iterator[np.ndarray]:
    """Noise at a level that the weights decide."""
    shape = steps * model.options.frames_per_step, *prompts[0].bands.shape[1:]
    lift = float(np.sum(model.get_weights()[1]))
    while True:
        yield np.stack([rng.normal(-5, 1, shape).astype(np.float32) + lift for rng in rngs])


def _rolls(run: Any, model: Any, constraint_sets: Any, options: Any, seed: int, progress: Any = None) -> list[Any]:
    """One note at random in each step."""
    from music_composer.values import Roll

    made = []
    for number, constraints in enumerate(constraint_sets):
        rng, kept = np.random.default_rng([seed, number]), constraints.fixed
        velocity = np.zeros((kept.steps, 128), np.uint8)
        velocity[np.arange(len(velocity)), rng.integers(40, 80, len(velocity))] = 80
        made.append(Roll(velocity, velocity > 0, kept.per_quarter, kept.tempos, kept.metres))
    return made
