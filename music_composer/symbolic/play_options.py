"""The options of generation, one frozen record for each part of it, and all of them together.

Defaults live here and nowhere else. Field names are keys of the metadata file beside the output.
"""

from __future__ import annotations

import dataclasses

from music_composer.errors import OptionError
from music_composer.options import HOTTEST, MOST, MOST_PIECES, require_between

MIN_TEMPERATURE = 0.001  # and least exponent of a probability
MAX_PARTICLES = 4096  # of a piece


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """How choices are drawn: see models/sampling.py."""

    temperature: float = 1.0
    top_k: int = 0  # samples from the k likeliest choices; 0: all
    top_p: float | None = None  # samples from the fewest choices whose sum reaches p; 0: all; None: see PLAY_DEFAULTS

    def __post_init__(self) -> None:
        require_between("--temperature", self.temperature, MIN_TEMPERATURE, HOTTEST)
        require_between("--top-k", self.top_k, 0, MOST)
        if self.top_p is not None:
            require_between("--top-p", self.top_p, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class PianorollPlayOptions:
    """Of the piano-roll model alone."""

    note_stability: int = 1  # fewest steps of a chord

    def __post_init__(self) -> None:
        require_between("--note-stability", self.note_stability, 1, MOST)


@dataclasses.dataclass(frozen=True)
class BiaxialPlayOptions:
    """Of the biaxial model alone."""

    conservativity: float = 0.8  # exponent of the probability that a note is active
    adaptive: bool = False  # plays more notes after silence

    def __post_init__(self) -> None:
        require_between("--conservativity", self.conservativity, MIN_TEMPERATURE, HOTTEST)


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """How particles are selected: see models/particles.py."""

    drafts: int = 16  # particles of each sample, where later notes are fixed
    beam_size: int = 1  # particles that continue by likelihood; 1: no beam
    branch_factor: int = 1  # copies of each particle of the beam
    steps_per_iteration: int = 1  # steps between two selections of the beam

    def __post_init__(self) -> None:
        require_between("--drafts", self.drafts, 1, MAX_PARTICLES)
        require_between("--beam-size", self.beam_size, 1, MAX_PARTICLES)
        require_between("--branch-factor", self.branch_factor, 1, MAX_PARTICLES)
        require_between("--beam-size times --branch-factor", self.beam_size * self.branch_factor, 1, MAX_PARTICLES)
        require_between("--steps-per-iteration", self.steps_per_iteration, 1, MOST)


@dataclasses.dataclass(frozen=True)
class PieceOptions:
    """What a piece is like: its length, tempo and metre, and its primer. See constraints.py."""

    steps: int = 128  # of new music, sixteenths
    qpm: float = 0.0  # quarter notes a minute; 0: that of the primer, or of the training music
    metre: str = ""  # of the new music, "3/4"; empty: that of the primer, or of most of the training music
    primer_melody: str = ""  # "[60, -2, 62, -1]", a sixteenth each
    primer_pitches: str = ""  # "[60, 64, 67]", for a quarter
    condition_on_primer: bool = True  # the primer comes first, and the new music continues it
    inject_primer: bool = False  # the primer's notes are fixed in the new music
    omit_primer: bool = False  # the part before the new music is not written
    lock_tracks: tuple[int, ...] = ()  # parts of the primer, counted from 0, that are fixed
    from_bar: int = 0  # first bar of the primer, counted from 1, that is composed anew; 0: none
    to_bar: int = 0  # last bar that is composed anew

    def __post_init__(self) -> None:
        require_between("--num-steps", self.steps, 1, MOST)
        if self.qpm:
            require_between("--qpm", self.qpm, 4.0, 1000.0)
        require_between("--from-bar", self.from_bar, 0, MOST)
        require_between("--to-bar", self.to_bar, 0, MOST)
        if bool(self.from_bar) != bool(self.to_bar):
            raise OptionError("--from-bar and --to-bar go together: give the first and last bar to compose anew")
        if not self.condition_on_primer and not self.inject_primer:
            raise OptionError(
                "--no-condition-on-primer needs --inject-primer-during-generation, or the primer has no effect: "
                "give both or none"
            )
        if self.lock_tracks and self.from_bar:
            raise OptionError("--lock-track and --from-bar exclude each other: give one of them")


@dataclasses.dataclass(frozen=True)
class OutputOptions:
    """The files that are written."""

    count: int = 10  # pieces
    name: str = "output"
    program: int | None = None  # of General MIDI, for new notes; None: that of the part they replace, or piano
    musicxml: bool = False  # whether MusicXML is written beside each MIDI file
    overwrite: bool = False  # also files of other programs
    seed: int | None = None

    def __post_init__(self) -> None:
        require_between("-g/--num-outputs", self.count, 1, MOST_PIECES)


@dataclasses.dataclass(frozen=True)
class PlayOptions(
    SamplingOptions, PianorollPlayOptions, BiaxialPlayOptions, SearchOptions, PieceOptions, OutputOptions
):
    """All options of generation as one flat record. A function takes the part that it needs."""

    def __post_init__(self) -> None:
        for part in PlayOptions.__bases__:
            part.__post_init__(self)  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True)
class BoundOptions:
    """Constraints on pitches, as the command line takes them: see scales.py. An empty string and 0 allow everything."""

    scale: str = ""  # "D minor"
    range: str = ""  # "C3-C6", or "48-84"
    max_polyphony: int = 0  # simultaneous notes, fixed ones included

    def __post_init__(self) -> None:
        require_between("--max-polyphony", self.max_polyphony, 0, 128)
