"""`midi evaluate --benchmark`: trains a model on a benchmark file, and scores its test part beside the record.

Members of a mixture are trained one after the other, each in a folder of its own. A second call resumes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.errors import OptionError
from music_composer.evaluation.symbolic.benchmark_files import (
    UNIFORM,
    Benchmark,
    Nats,
    mixture,
    nats_a_step,
    read_benchmark,
    transposed,
)
from music_composer.files.atomic import write_json
from music_composer.pipelines.symbolic.requests import BenchmarkRequest
from music_composer.progress import duration
from music_composer.records import key_of
from music_composer.symbolic.composition import networks
from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.options import TRAINING, BiaxialOptions, VoicesOptions
from music_composer.symbolic.roll import DEFAULT_VELOCITY, PIANO_KEYS, PIANO_LOWEST
from music_composer.training import checkpoint, devices
from music_composer.training.job import run_job
from music_composer.training.options import TrainOptions
from music_composer.training.weights import load_weights
from music_composer.values import PITCHES, Roll

# These files have neither onsets nor loudness, and no note of them may be left out.
NETWORKS: Mapping[str, Any] = MappingProxyType(
    {
        "voices": VoicesOptions(pitches=PIANO_KEYS, loudness=0, most=PIANO_KEYS, half_lives=()),
        "biaxial": BiaxialOptions(
            lowest=PIANO_LOWEST, notes=PIANO_KEYS, half_lives=(), articulation=False, dropout=0.2, forget=0.0
        ),
    }
)
SHIFTS = range(-5, 7)  # semitones: every key, once
STEPS_IN_BAR = 16  # as the models are told: nobody says where the bars are
# Joint test likelihoods, nats a step, as published: RNN-NADE by Boulanger-Lewandowski et al. 2012, BALSTM by Johnson
# 2017 (quoted from memory: about). A file is known by how many pieces its parts have.
PUBLISHED = MappingProxyType(
    {
        (229, 76, 77): ("JSB Chorales", 5.56, 5.05),
        (694, 173, 170): ("Nottingham", 2.31, 1.55),
        (524, 135, 124): ("MuseData", 5.60, 3.90),
        (87, 12, 25): ("Piano-midi.de", 7.05, 4.90),
    }
)


def evaluate_benchmark(request: BenchmarkRequest, context: Context = SILENT) -> dict[str, Any]:
    """Returns the figures, which it also says and writes to `benchmark.json` in the folder.

    The first member of the mixture has the seed that was asked for, the others have the next ones; with `every_key` the
    test part is scored under every transposition too, the key not told. Raises OptionError for a model that cannot be
    scored by such files.
    """
    path, folder, name, every_key = request.file, request.folder, request.name, request.every_key
    options = dataclasses.replace(TRAINING[name], **request.training.asked)
    if name not in NETWORKS:
        raise OptionError(
            f"--model {name}: such files do not say which notes are struck; {' and '.join(NETWORKS)} can do without"
        )
    network, composer = dataclasses.replace(NETWORKS[name], **request.network.asked), note_model(name)
    music = read_benchmark(path)
    devices.load_keras()
    started = time.monotonic()
    parts = {part: [roll_of(piece) for piece in getattr(music, part)] for part in ("training", "validation", "test")}
    first, home = options.seed or 0, _home(folder, path, network, options)
    found: dict[str, list[list[np.ndarray]]] = {"validation": [], "test": [], "any key": []}
    moved: dict[int, list[list[np.ndarray]]] = {shift: [] for shift in SHIFTS if shift and every_key}
    for member in range(request.members):
        member_options = dataclasses.replace(options, seed=first + member)
        run = SymbolicRun(home / f"seed-{member_options.seed}", name, network, 1, 0.0, 120.0, (STEPS_IN_BAR, 4))
        model = _train(run, parts, member_options, context)
        for part in ("validation", "test"):
            found[part].append(composer.likelihood(model, parts[part]))
        found["any key"].append(composer.likelihood_in_any_key(model, parts["test"]))
        for shift, likelihoods in moved.items():
            shifted = [roll_of(transposed(piece, shift)) for piece in music.test]
            likelihoods.append(composer.likelihood_in_any_key(model, shifted))
        context.say(f"member {member}: {_figure(music.test, found['test'][-1]).every:.3f} nats a step")
    seconds = time.monotonic() - started
    figures = {part: _figure(music.validation if part == "validation" else music.test, mixture(each))
               for part, each in found.items()}  # fmt: skip
    members = [_figure(music.test, member).every for member in found["test"]]
    keys = {shift: _figure(music.test, mixture(each)).every for shift, each in moved.items()}
    card = _card(path, music, figures, members, seconds, {0: figures["any key"].every, **keys} if keys else {})
    write_json(folder / "benchmark.json", card)
    for line in _lines(card):
        context.say(line)
    return card


def _home(folder: Path, path: Path, network: Any, options: TrainOptions) -> Path:
    """One folder for each file, network and training options, so that a run never resumes a different experiment."""
    digest = hashlib.blake2b(path.read_bytes(), digest_size=4)
    training = dataclasses.replace(options, seed=None)  # members with other seeds share the folder
    digest.update(f"({_described(network)}, {_described(training)})".encode())
    return folder / f"{path.stem}-{digest.hexdigest()}"


def _described(record: Any) -> str:
    """The text of a record as `repr` gives it, but with the keys of files: they stay when a field is renamed."""
    fields = ", ".join(f"{key_of(each)}={getattr(record, each.name)!r}" for each in dataclasses.fields(record))
    return f"{type(record).__name__}({fields})"


def roll_of(piece: np.ndarray) -> Roll:
    """bool (steps, KEYS) -> a roll. Its onsets are a guess, which none of these models reads."""
    active = np.zeros((len(piece), PITCHES), bool)
    active[:, PIANO_LOWEST : PIANO_LOWEST + PIANO_KEYS] = piece
    before = np.concatenate([np.zeros_like(active[:1]), active[:-1]])
    velocity = np.where(active, DEFAULT_VELOCITY, 0).astype(np.uint8)
    return Roll(velocity, active & ~before, 1, metres=((0, STEPS_IN_BAR, 4),))


def _train(run: SymbolicRun, parts: dict[str, list[Roll]], options: TrainOptions, context: Context) -> Any:
    """The trained network with the weights that were best on the validation part."""
    loader = note_model(run.name).loader(parts["training"], parts["validation"], run.model, options)
    state = checkpoint.read_state(run.checkpoint) or checkpoint.TrainState(options.seed or 0)
    state.job_epochs = options.epochs or state.job_epochs
    model = networks.trainable_network(run, options, state.seed, context.say)
    if not state.job_done:
        context.say(f"training on {len(parts['training'])} pieces: {state.job_epochs} epochs of {loader.batches} steps")

    # Without `begin`: nobody plays from these folders, so they need no options and no atomic start.
    run.folder.mkdir(parents=True, exist_ok=True)
    run_job(model, loader, run, options, state, context)
    load_weights(model, run.weights, run.command)
    return model


def _figure(pieces: Sequence[np.ndarray], likelihood: Sequence[np.ndarray]) -> Nats:
    return nats_a_step(pieces, lambda _: likelihood)


def _card(
    path: Path, music: Benchmark, figures: dict[str, Nats], members: list[float], seconds: float, keys: dict[int, float]
) -> dict[str, Any]:
    counts = len(music.training), len(music.validation), len(music.test)
    music_name, rnn_nade, balstm = PUBLISHED.get(counts, (path.name, None, None))
    return {
        "music": music_name,
        "pieces": counts,
        "seconds": round(seconds, 1),
        "members": [round(nats, 4) for nats in members],
        "nats_a_step": {part: dataclasses.asdict(nats) for part, nats in figures.items()},
        "nats_a_step_by_transposition": {shift: round(nats, 4) for shift, nats in sorted(keys.items())},
        "published": {"RNN-NADE": rnn_nade, "BALSTM (about)": balstm},
        "uniform": UNIFORM,
    }


def _lines(card: dict[str, Any]) -> list[str]:
    test, validation = card["nats_a_step"]["test"], card["nats_a_step"]["validation"]
    count = len(card["members"])
    what = f"a mixture of {count}" if count > 1 else "one model"
    lines = [
        f"{card['music']}, {test['steps']} test steps, {what}, {duration(card['seconds'])}: nats a step, joint",
        f"  test                 {test['every']:.3f}; without first steps {test['after_first']:.3f}",
        f"  test, key not told   {card['nats_a_step']['any key']['every']:.3f}",
        f"  validation           {validation['every']:.3f}",
    ]
    if keys := card["nats_a_step_by_transposition"]:
        mean, least, most = sum(keys.values()) / len(keys), min(keys.values()), max(keys.values())
        lines.append(f"  test, in every key   {mean:.3f} on average, {least:.3f} to {most:.3f}; key not told")
    lines += [f"  {name:<20} {nats:.2f}" for name, nats in card["published"].items() if nats]
    return [*lines, f"  knowing nothing      {card['uniform']:.2f}"]
