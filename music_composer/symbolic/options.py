"""The options of networks, training and evaluation, a frozen record for each. Defaults live here and nowhere else.

Those of generation are in play_options.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from music_composer.errors import OptionError
from music_composer.options import DEEPEST, MOST, MOST_PIECES, WIDEST, require_between, require_weights, require_within
from music_composer.records import stored_as
from music_composer.symbolic.play_options import BoundOptions as BoundOptions
from music_composer.symbolic.play_options import PlayOptions as PlayOptions
from music_composer.training.options import TrainOptions

PER_QUARTER = 4  # steps in a quarter note
HALF_LIVES = 2, 16, 64  # steps, of the channels of the key history


@dataclasses.dataclass(frozen=True)
class VoicesOptions:
    """The network of the voices model. The run folder stores this record and rebuilds the network from it.

    Field names are keys of the stored file, unless `stored_as` gives another one.
    """

    pitches: int = 88
    most: int = 15  # notes in a step; of larger chords the outer notes and some inner ones are kept
    voices: int = 4  # voices that lead from chord to chord
    neurons: int = 256  # units of the LSTM
    wide: int = 512  # units of the first layer of a decision
    narrow: int = 256  # and of its second layer
    embedding: int = 64  # size of a pitch embedding
    attention: int = 64  # size of queries and keys
    shifts: int = 12  # transpositions in training, from -5 semitones on; the network is told which
    memory: int = 256  # past steps that attention reaches
    clock: int = 8  # features of a step's position in bar and phrase: see `roll.bar_clock`
    half_lives: tuple[int, ...] = field(default=HALF_LIVES, metadata=stored_as("fades"))
    tonal: int = 32  # key-relative features of each pitch class
    loudness: int = 16  # loudness levels of an onset; 0: no articulation, as in the benchmark files
    dropout: float = 0.5
    input_dropout: float = 0.25

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_weights(f"-n {self.neurons}", 8 * self.neurons**2)
        require_within(self, 1, 128, "pitches", "most", "voices")
        require_within(self, 1, WIDEST, "neurons", "wide", "narrow", "embedding", "attention", "memory", "tonal")
        require_within(self, 1, 12, "shifts")
        require_within(self, 0, 128, "clock", "loudness")
        require_within(self, 0.0, 0.99, "dropout", "input_dropout")
        _require_half_lives(self.half_lives)

    @property
    def articulations(self) -> int:
        """Articulations of a note: held, or an onset with one of the loudness levels."""
        return 1 + self.loudness


@dataclasses.dataclass(frozen=True)
class PolyphonyOptions:
    """The network of the polyphony model: see `VoicesOptions`."""

    neurons: int = 256
    layers: int = 3
    embedding: int = 128  # size of the input of the first layer
    half_lives: tuple[int, ...] = field(default=HALF_LIVES, metadata=stored_as("fades"))
    tonal: int = 32  # key-relative features of each pitch class
    dropout: float = 0.5
    transpose: int = 4  # most semitones, up and down, of random transposition in training
    most: int = 15  # notes in a generated step

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_weights(f"-n {self.neurons} -l {self.layers}", 8 * self.neurons**2 * self.layers)
        require_between("--transpose", self.transpose, 0, 127)
        require_within(self, 1, WIDEST, "neurons", "embedding", "tonal")
        require_within(self, 1, DEEPEST, "layers")
        require_within(self, 0, 127, "transpose")
        require_within(self, 1, 128, "most")
        require_within(self, 0.0, 0.99, "dropout")
        _require_half_lives(self.half_lives)


@dataclasses.dataclass(frozen=True)
class PianorollOptions:
    """The network of the piano-roll model: see `VoicesOptions`."""

    neurons: int = 256
    layers: int = 2
    dropout: float = 0.5
    half_lives: tuple[int, ...] = field(default=HALF_LIVES, metadata=stored_as("fades"))
    tonal: int = 32  # key-relative features of each pitch class
    most_words: int = 8192  # size of the vocabulary: the most frequent chords of the music
    words: tuple[tuple[int, ...], ...] = ()  # the vocabulary itself: see models/pianoroll/vocabulary.py

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_weights(f"-n {self.neurons} -l {self.layers}", 8 * self.neurons**2 * self.layers)
        require_within(self, 1, WIDEST, "neurons", "tonal", "most_words")
        require_within(self, 1, DEEPEST, "layers")
        require_within(self, 0.0, 0.99, "dropout")
        if len(self.words) > WIDEST or not all(0 <= key < 256 for word in self.words for key in word):
            raise OptionError(f"words has {len(self.words)} entries: give at most {WIDEST}, of keys from 0 to 255")
        _require_half_lives(self.half_lives)


@dataclasses.dataclass(frozen=True)
class BiaxialOptions:
    """The network of the biaxial model: see `VoicesOptions`."""

    lowest: int = 24  # MIDI pitch of the first note, C1
    notes: int = 78
    neurons: int = 300  # units of the layers along time
    layers: int = 2
    note_neurons: tuple[int, ...] = (100, 50)  # units of the layers along the notes
    half_lives: tuple[int, ...] = field(default=HALF_LIVES, metadata=stored_as("fades"))
    articulation: bool = True  # whether the music says which notes begin; benchmark files do not
    dropout: float = 0.5
    forget: float = 0.05  # share of past notes hidden in training, so that the network learns to begin missing notes
    transpose: int = 0  # most semitones, up and down, of random transposition in training

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_weights(f"-n {self.neurons} -l {self.layers}", 8 * self.neurons**2 * self.layers)
        require_between("--transpose", self.transpose, 0, 127)
        require_within(self, 0, 127, "lowest", "transpose")
        require_within(self, 1, 128 - self.lowest, "notes")
        require_within(self, 1, WIDEST, "neurons")
        require_within(self, 1, DEEPEST, "layers")
        require_within(self, 0.0, 0.99, "dropout", "forget")
        if not self.note_neurons or not all(1 <= units <= WIDEST for units in self.note_neurons):
            raise OptionError(f"note_neurons is {self.note_neurons}: give numbers between 1 and {WIDEST}")
        _require_half_lives(self.half_lives)


@dataclasses.dataclass(frozen=True)
class JudgeOptions:
    """Evaluation: the pieces that are generated for it, and the folder of the scorecard."""

    output: Path = Path("midi_scorecard")
    count: int = 60
    steps: int = 256
    overwrite: bool = False  # also files of other programs
    seed: int = 1

    def __post_init__(self) -> None:
        require_between("-g/--num-outputs", self.count, 1, MOST_PIECES)
        require_between("--num-steps", self.steps, 64, MOST)


VOICES_TRAINING = TrainOptions(
    epochs=60,
    batch_size=8,
    window_steps=256,
    learning_rate=2.5e-3,
    weight_decay=0.3,
    average=0.995,
)
POLYPHONY_TRAINING = TrainOptions(
    epochs=60, batch_size=16, window_steps=256, learning_rate=2e-3, weight_decay=0.01, average=0.995
)  # fmt: skip
PIANOROLL_TRAINING = TrainOptions(
    epochs=60, batch_size=16, window_steps=128, learning_rate=2e-3, weight_decay=0.01, average=0.995
)  # fmt: skip
BIAXIAL_TRAINING = TrainOptions(
    epochs=60, batch_size=10, window_steps=128, learning_rate=5e-3, weight_decay=0.01, average=0.995
)  # fmt: skip
MODELS = MappingProxyType(
    {"voices": VoicesOptions, "polyphony": PolyphonyOptions, "pianoroll": PianorollOptions, "biaxial": BiaxialOptions}
)  # by name
TRAINING = MappingProxyType(
    {
        "voices": VOICES_TRAINING,
        "polyphony": POLYPHONY_TRAINING,
        "pianoroll": PIANOROLL_TRAINING,
        "biaxial": BIAXIAL_TRAINING,
    }
)
SAMPLING_FIELDS = "temperature", "top_k", "top_p", "conservativity"  # of PlayOptions
# The values at which each model's music is most like held-out music: see docs/results.md.
PLAY_DEFAULTS = MappingProxyType(
    {
        "voices": PlayOptions(top_p=0.8),
        "polyphony": PlayOptions(top_p=0.85),
        "pianoroll": PlayOptions(top_p=0.0),
        "biaxial": PlayOptions(top_p=0.65),
    }
)
DEFAULT_MODEL = next(iter(MODELS))


def with_model_defaults(name: str, options: PlayOptions) -> PlayOptions:
    """The options, with the model's own values where they leave the choice to it."""
    return dataclasses.replace(options, top_p=PLAY_DEFAULTS[name].top_p) if options.top_p is None else options


def make_model(name: str, fields: Mapping[str, Any]) -> Any:
    """The options of a model. Raises OptionError for a field that the model does not have."""
    record = MODELS[name]
    known = {each.name for each in dataclasses.fields(record)}
    unknown = [each for each in fields if each not in known]
    if unknown:
        raise OptionError(f"--model {name} has no {unknown[0]}: leave that option out")
    return record(**fields)


def _require_half_lives(half_lives: tuple[int, ...]) -> None:
    if len(half_lives) > DEEPEST or not all(1 <= steps <= WIDEST for steps in half_lives):
        raise OptionError(f"half_lives is {half_lives}: give at most {DEEPEST} numbers between 1 and {WIDEST} steps")
