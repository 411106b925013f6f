"""The symbolic backend's own records, one frozen one for each stage. Defaults live here and nowhere else."""

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

COLDEST = 0.001  # temperature, and what else probabilities are raised to
MOST_DRAFTS = 4096  # of a piece at a time
PER_QUARTER = 4  # steps in a quarter note
FADES = 2, 16, 64  # steps after which a note that was heard counts half, for each way of counting: see key_history.py


@dataclasses.dataclass(frozen=True)
class VoicesOptions:
    """The network of the voices model: what is stored in the run folder rebuilds it."""

    pitches: int = 88
    most: int = 15  # notes in a step that are told apart; of more, the outer ones and some between them are kept
    voices: int = 4  # that are led from chord to chord
    neurons: int = 256
    wide: int = 512  # first layer of a decision
    narrow: int = 256  # its second
    embedding: int = 64  # of a pitch
    attention: int = 64
    shifts: int = 12  # semitones that a piece may be transposed by, -5 to 6: the model is told which
    memory: int = 256  # steps back that attention reaches
    clock: int = 8  # numbers that say where in bar and phrase a step is
    fades: tuple[int, ...] = FADES
    tonal: int = 32  # numbers that each pitch class is told by, from how much of all others was heard
    loudness: int = 16  # levels that a note can be struck with; 0: notes sound or not, as in the benchmark files
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
    def manners(self) -> int:
        """Ways in which a note can sound: held on, or struck with one of the levels."""
        return 1 + self.loudness


@dataclasses.dataclass(frozen=True)
class PolyphonyOptions:
    """The network of the polyphony model: what is stored in the run folder rebuilds it."""

    neurons: int = 256
    layers: int = 3
    embedding: int = 128  # of what the first layer hears
    fades: tuple[int, ...] = FADES
    tonal: int = 32  # numbers that each pitch class is told by, from how much of all others was heard
    dropout: float = 0.5
    transpose: int = 4  # semitones, up and down, that training pieces are transposed by at most
    most: int = 15  # notes in a step, when playing

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
    """The network of the piano-roll model: what is stored in the run folder rebuilds it."""

    neurons: int = 256
    layers: int = 2
    dropout: float = 0.5
    fades: tuple[int, ...] = FADES
    tonal: int = 32  # numbers that each pitch class is told by, from how much of all others was heard
    most_words: int = 8192  # sets of notes that it can play, the most frequent of the music
    words: tuple[tuple[int, ...], ...] = ()  # those that there are: see symbolic/models/pianoroll/vocabulary.py

    def __post_init__(self) -> None:
        require_between("-n/--hidden-layer-neurons", self.neurons, 1, WIDEST)
        require_between("-l/--hidden-layer-count", self.layers, 1, DEEPEST)
        require_weights(f"-n {self.neurons} -l {self.layers}", 8 * self.neurons**2 * self.layers)
        require_within(self, 1, WIDEST, "neurons", "tonal", "most_words")
        require_within(self, 1, DEEPEST, "layers")
        require_within(self, 0.0, 0.99, "dropout")
        if len(self.words) > WIDEST or not all(0 <= key < 256 for word in self.words for key in word):
            raise OptionError(f"words are {len(self.words)} sets of notes: at most {WIDEST}, of keys from 0 to 255")
        _require_fades(self.fades)


@dataclasses.dataclass(frozen=True)
class BiaxialOptions:
    """The network of the biaxial model: what is stored in the run folder rebuilds it."""

    lowest: int = 24  # MIDI pitch of the first note, C1
    notes: int = 78
    neurons: int = 300  # of the layers along time
    layers: int = 2
    note_neurons: tuple[int, ...] = (100, 50)  # of those along the notes
    fades: tuple[int, ...] = FADES
    articulation: bool = True  # whether notes are struck or held on; benchmark files do not say
    dropout: float = 0.5
    forget: float = 0.05  # share of past notes that training does not hear: it learns to begin what is missing
    transpose: int = 0  # semitones, up and down, that training pieces are transposed by at most

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
        if not self.note_neurons or not all(1 <= each <= WIDEST for each in self.note_neurons):
            raise OptionError(f"note_neurons are {self.note_neurons}: each must be between 1 and {WIDEST}")
        _require_fades(self.fades)


@dataclasses.dataclass(frozen=True)
class PlayOptions:
    """Sampling and writing."""

    count: int = 10
    steps: int = 128  # of new music, sixteenths
    name: str = "output"
    temperature: float = 1.0
    top_k: int = 0  # likeliest choices that are drawn from; 0: all
    top_p: float | None = None  # the fewest choices that together reach it are drawn from; 0: all; None: see PLAYS
    note_stability: int = 1  # steps that a chord of the piano-roll model lasts at least
    conservativity: float = 0.8  # power of the probability that a note of the biaxial model sounds with
    adaptive: bool = False  # the biaxial model plays more where little sounds
    drafts: int = 16  # of each sample, where notes are locked: see symbolic/models/particles.py
    beam_size: int = 1  # drafts that go on by likelihood; 1: none is preferred
    branch_factor: int = 1  # copies of each of them
    steps_per_iteration: int = 1  # steps between two looks at which are the likeliest
    qpm: float = 0.0  # quarter notes a minute; 0: as the primer's, or as the music's own
    metre: str = ""  # of what is composed, "3/4"; empty: as the primer's, or as most of the music's
    program: int | None = None  # of General MIDI, for new notes; None: as the part they replace or go on from, or piano
    musicxml: bool = False  # written beside each MIDI file
    primer_melody: str = ""  # "[60, -2, 62, -1]", a sixteenth each
    primer_pitches: str = ""  # "[60, 64, 67]", for a quarter
    condition_on_primer: bool = True  # the primer is heard first, and gone on from
    inject_primer: bool = False  # the primer's notes are kept while others are composed around them
    omit_primer: bool = False  # what was heard first is not written
    lock_tracks: tuple[int, ...] = ()  # of the primer, counted from 0: kept, and the rest composed around them
    from_bar: int = 0  # of the primer, counted from 1: bars that are composed anew; 0: none
    to_bar: int = 0
    overwrite: bool = False  # files of others too
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-g/--num-outputs", self.count, 1, MOST_PIECES)
        require_between("--num-steps", self.steps, 1, MOST)
        require_between("--note-stability", self.note_stability, 1, MOST)
        require_between("--conservativity", self.conservativity, COLDEST, HOTTEST)
        require_between("--drafts", self.drafts, 1, MOST_DRAFTS)
        require_between("--beam-size", self.beam_size, 1, MOST_DRAFTS)
        require_between("--branch-factor", self.branch_factor, 1, MOST_DRAFTS)
        require_between("--beam-size times --branch-factor", self.beam_size * self.branch_factor, 1, MOST_DRAFTS)
        require_between("--steps-per-iteration", self.steps_per_iteration, 1, MOST)
        require_between("--top-k", self.top_k, 0, MOST)
        if self.top_p is not None:
            require_between("--top-p", self.top_p, 0.0, 1.0)
        require_between("--from-bar", self.from_bar, 0, MOST)
        require_between("--to-bar", self.to_bar, 0, MOST)
        if bool(self.from_bar) != bool(self.to_bar):
            raise OptionError("--from-bar and --to-bar go together: the first and the last bar that are composed anew")
        if not self.condition_on_primer and not self.inject_primer:
            raise OptionError(
                "--no-condition-on-primer without --inject-primer-during-generation leaves the primer nothing to do: "
                "leave one of them out"
            )
        if self.lock_tracks and self.from_bar:
            raise OptionError("--lock-track and --from-bar exclude each other: give one of them")
        require_between("--temperature", self.temperature, COLDEST, HOTTEST)
        if self.qpm:
            require_between("--qpm", self.qpm, 4.0, 1000.0)


@dataclasses.dataclass(frozen=True)
class BoundOptions:
    """What the music is held to, as it is typed: see scales.py. Empty words and 0 bind nothing."""

    scale: str = ""  # "D minor"
    range: str = ""  # "C3-C6", or "48-84"
    max_polyphony: int = 0  # notes at once, those that are locked included

    def __post_init__(self) -> None:
        require_between("--max-polyphony", self.max_polyphony, 0, 128)


@dataclasses.dataclass(frozen=True)
class JudgeOptions:
    """What is composed to be judged, and where the scorecard goes."""

    output: Path = Path("midi_scorecard")
    count: int = 60
    steps: int = 256
    overwrite: bool = False  # files of others too
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
TASTES = "temperature", "top_k", "top_p", "conservativity"  # fields of PlayOptions that say how boldly it is played
# As each model plays best; see docs/RESULTS.md, likeness.
PLAYS = MappingProxyType(
    {
        "voices": PlayOptions(top_p=0.8),
        "polyphony": PlayOptions(top_p=0.85),
        "pianoroll": PlayOptions(top_p=0.0),
        "biaxial": PlayOptions(top_p=0.65),
    }
)
DEFAULT_MODEL = next(iter(MODELS))


def as_it_plays(name: str, options: PlayOptions) -> PlayOptions:
    """The options with what was left to the model."""
    return dataclasses.replace(options, top_p=PLAYS[name].top_p) if options.top_p is None else options


def make_model(name: str, asked: Mapping[str, Any]) -> Any:
    """The options of a model. Raises OptionError for what it does not have."""
    record = MODELS[name]
    foreign = [field for field in asked if field not in {each.name for each in dataclasses.fields(record)}]
    if foreign:
        raise OptionError(f"--model {name} has no {foreign[0]}: leave that option out")
    return record(**asked)


def _require_fades(fades: tuple[int, ...]) -> None:
    if len(fades) > DEEPEST or not all(1 <= each <= WIDEST for each in fades):
        raise OptionError(f"fades are {fades}: each must be between 1 and {WIDEST} steps")
