"""A model of notes that stays loaded: its weights are read once and its graph is built once, however often it plays."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from music_composer.context import SILENT, Context
from music_composer.pipelines.symbolic.requests import GenerateRequest
from music_composer.records import to_plain
from music_composer.symbolic.composition import networks
from music_composer.symbolic.composition import run_folder as symbolic_run
from music_composer.symbolic.composition.assemble import assembled
from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.symbolic.constraints import Constraints, constraints_from
from music_composer.symbolic.midi.midi_file import write_midi
from music_composer.symbolic.options import BoundOptions, PlayOptions, with_model_defaults
from music_composer.symbolic.roll_operations import laid_over
from music_composer.training import run_folder
from music_composer.values import Roll, Score

SIDE_BY_SIDE = 20  # pieces played at a time


@dataclasses.dataclass(frozen=True)
class Composition:
    """A piece of new music. metadata: how it was made, as in the JSON beside a MIDI file of the command."""

    score: Score
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def write(self, path: str | Path) -> None:
        """Writes a MIDI file, as the command does. Raises MusicComposerError when the disk refuses."""
        write_midi(self.score, Path(path))


class LoadedModel:
    """The network of a run folder, read when it first plays. Several threads may share it."""

    def __init__(self, run: SymbolicRun) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._network: Any = None
        self._player: Any = None

    @property
    def network(self) -> Any:
        """The Keras model. Raises RunFolderError where its weights are missing or damaged."""
        # Two threads that play at once must not load the network twice.
        with self._lock:
            if self._network is None:
                self._network = networks.trained_network(self.run)
            return self._network

    @property
    def player(self) -> Any:
        """What plays the network: its graph is built when it first plays."""
        network = self.network  # before the lock, which `network` takes too
        with self._lock:
            if self._player is None:
                self._player = note_model(self.run.name).player(network)
            return self._player


def load(folder: Path) -> LoadedModel:
    """The model of a run folder. Raises RunFolderError, with what to do, where there is none."""
    return LoadedModel(symbolic_run.read_run(folder))


def play(
    run: SymbolicRun,
    player: Any,
    constraint_sets: Sequence[Constraints],
    options: PlayOptions,
    seed: int,
    progress: Callable[[float, float, str], None] = lambda done, total, name: None,
) -> list[Roll]:
    """Returns a piece for each set of constraints, with the kept notes in it. Batches do not change a piece."""
    composer, made = note_model(run.name), list[Roll]()
    for first in range(0, len(constraint_sets), SIDE_BY_SIDE):
        some = constraint_sets[first : first + SIDE_BY_SIDE]
        # A generator for each piece: it does not depend on how many there are.
        rngs = [np.random.default_rng([seed, first + number]) for number in range(len(some))]
        rolls = composer.generate(player, some, options, rngs)
        made += [laid_over(roll, constraints.fixed) for roll, constraints in zip(rolls, some, strict=True)]
        progress(len(made), len(constraint_sets), "")
    return made


def composed(model: LoadedModel, request: GenerateRequest, context: Context = SILENT) -> list[Composition]:
    """New pieces as scores; the same seed gives the notes that the command writes."""
    run, primer = model.run, request.primer
    options = with_model_defaults(run.name, request.playing)
    constraints = constraints_from(primer, options, request.bounds, run.blank)
    for remark in constraints.remarks:
        context.say(f"note: {primer}: {remark}")
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    with context.stage("composing", "pieces") as advance:
        rolls = play(run, model.player, [constraints] * options.count, options, seed, advance)
    return [
        Composition(
            assembled(roll, constraints, options.program).score,
            notes_of(number, seed, primer, run, options, request.bounds),
        )
        for number, roll in enumerate(rolls)
    ]


def notes_of(
    number: int, seed: int, primer: Path | None, run: SymbolicRun, options: PlayOptions, bounds: BoundOptions
) -> dict[str, Any]:
    """How a piece was made: what the JSON beside it says."""
    return {
        "number": number,
        "seed": seed,
        "primer": str(primer) if primer else None,
        "options": {name: value for name, value in to_plain(options).items() if name != "overwrite"},
        "bounds": to_plain(bounds),
        "model": str(run.folder),
        "versions": run_folder.versions(),
    }
