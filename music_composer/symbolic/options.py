"""The options of the symbolic backend, a frozen record for each stage. Defaults live here and nowhere else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from music_composer.errors import OptionError
from music_composer.options import (
    DEEPEST,
    HOTTEST,
    MOST,
    MOST_PIECES,
    WIDEST,
    TrainOptions,
    require_between,
    require_weights,
    require_within,
)

MIN_TEMPERATURE = 0.001  # and least exponent of a probability
MAX_PARTICLES = 4096  # of a piece
PER_QUARTER = 4  # steps in a quarter note
HALF_LIVES = 2, 16, 64  # steps, of the channels of the key history


@dataclasses.dataclass(frozen=True)
class VoicesOptions:
    """The network of the voices model. The run folder stores this record and rebuilds the network from it.

    Field names are keys of the stored file.
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
    fades: tuple[int, ...] = HALF_LIVES
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
        _require_fades(self.fades)

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
    fades: tuple[int, ...] = HALF_LIVES
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
        _require_fades(self.fades)


@dataclasses.dataclass(frozen=True)
class PianorollOptions:
    """The network of the piano-roll model: see `VoicesOptions`."""

    neurons: int = 256
    layers: int = 2
    dropout: float = 0.5
    fades: tuple[int, ...] = HALF_LIVES
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
        _require_fades(self.fades)


@dataclasses.dataclass(frozen=True)
class BiaxialOptions:
    """The network of the biaxial model: see `VoicesOptions`."""

    lowest: int = 24  # MIDI pitch of the first note, C1
    notes: int = 78
    neurons: int = 300  # units of the layers along time
    layers: int = 2
    note_neurons: tuple[int, ...] = (100, 50)  # units of the layers along the notes
    fades: tuple[int, ...] = HALF_LIVES
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
        _require_fades(self.fades)


@dataclasses.dataclass(frozen=True)
class PlayOptions:
    """Generation: sampling, search, the primer, and the output files.

    Field names are keys of the metadata file beside the output.
    """

    count: int = 10  # pieces
    steps: int = 128  # of new music, sixteenths
    name: str = "output"
    temperature: float = 1.0
    top_k: int = 0  # samples from the k likeliest choices; 0: all
    top_p: float | None = None  # samples from the fewest choices whose sum reaches p; 0: all; None: see PLAY_DEFAULTS
    note_stability: int = 1  # fewest steps of a chord of the piano-roll model
    conservativity: float = 0.8  # exponent of the probability of a note of the biaxial model
    adaptive: bool = False  # whether the biaxial model plays more notes after silence
    drafts: int = 16  # particles of each sample, where later notes are fixed: see models/particles.py
    beam_size: int = 1  # particles that continue by likelihood; 1: no beam
    branch_factor: int = 1  # copies of each particle of the beam
    steps_per_iteration: int = 1  # steps between two selections of the beam
    qpm: float = 0.0  # quarter notes a minute; 0: that of the primer, or of the training music
    metre: str = ""  # of the new music, "3/4"; empty: that of the primer, or of most of the training music
    program: int | None = (
        None  # of General MIDI, for new notes; None: that of the part they replace or continue, or piano
    )
    musicxml: bool = False  # whether MusicXML is written beside each MIDI file
    primer_melody: str = ""  # "[60, -2, 62, -1]", a sixteenth each
    primer_pitches: str = ""  # "[60, 64, 67]", for a quarter
    condition_on_primer: bool = True  # the primer comes first, and the new music continues it
    inject_primer: bool = False  # the primer's notes are fixed in the new music
    omit_primer: bool = False  # the part before the new music is not written
    lock_tracks: tuple[int, ...] = ()  # parts of the primer, counted from 0, that are fixed
    from_bar: int = 0  # first bar of the primer, counted from 1, that is composed anew; 0: none
    to_bar: int = 0  # last bar that is composed anew
    overwrite: bool = False  # also files of other programs
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-g/--num-outputs", self.count, 1, MOST_PIECES)
        require_between("--num-steps", self.steps, 1, MOST)
        require_between("--note-stability", self.note_stability, 1, MOST)
        require_between("--conservativity", self.conservativity, MIN_TEMPERATURE, HOTTEST)
        require_between("--drafts", self.drafts, 1, MAX_PARTICLES)
        require_between("--beam-size", self.beam_size, 1, MAX_PARTICLES)
        require_between("--branch-factor", self.branch_factor, 1, MAX_PARTICLES)
        require_between("--beam-size times --branch-factor", self.beam_size * self.branch_factor, 1, MAX_PARTICLES)
        require_between("--steps-per-iteration", self.steps_per_iteration, 1, MOST)
        require_between("--top-k", self.top_k, 0, MOST)
        if self.top_p is not None:
            require_between("--top-p", self.top_p, 0.0, 1.0)
        require_between("--from-bar", self.from_bar, 0, MOST)
        require_between("--to-bar", self.to_bar, 0, MOST)
        if bool(self.from_bar) != bool(self.to_bar):
            raise OptionError(
                "--from-bar and --to-bar go together: give the first and the last bar that are composed anew"
            )
        if not self.condition_on_primer and not self.inject_primer:
            raise OptionError(
                "--no-condition-on-primer needs --inject-primer-during-generation, or the primer has no effect: "
                "give both or none"
            )
        if self.lock_tracks and self.from_bar:
            raise OptionError("--lock-track and --from-bar exclude each other: give one of them")
        require_between("--temperature", self.temperature, MIN_TEMPERATURE, HOTTEST)
        if self.qpm:
            require_between("--qpm", self.qpm, 4.0, 1000.0)


@dataclasses.dataclass(frozen=True)
class BoundOptions:
    """Constraints on pitches, as the command line takes them: see scales.py. An empty string and 0 allow everything."""

    scale: str = ""  # "D minor"
    range: str = ""  # "C3-C6", or "48-84"
    max_polyphony: int = 0  # simultaneous notes, fixed ones included

    def __post_init__(self) -> None:
        require_between("--max-polyphony", self.max_polyphony, 0, 128)


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
    known = {field.name for field in dataclasses.fields(record)}
    unknown = [field for field in fields if field not in known]
    if unknown:
        raise OptionError(f"--model {name} has no {unknown[0]}: leave that option out")
    return record(**fields)


def _require_fades(fades: tuple[int, ...]) -> None:
    if len(fades) > DEEPEST or not all(1 <= steps <= WIDEST for steps in fades):
        raise OptionError(f"fades is {fades}: give at most {DEEPEST} numbers between 1 and {WIDEST} steps")
