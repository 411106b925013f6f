"""The plain values that travel between the stations."""

from __future__ import annotations

import dataclasses

import numpy as np

OCTAVE = 12  # semitones, and pitch classes
PITCHES = 128  # of MIDI


@dataclasses.dataclass(frozen=True)
class Waveform:
    """Sound as samples.

    samples: float32, shape (samples, channels), full scale is 1.0; channels is 1 or 2 (left, right).
    rate: samples a second.
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


@dataclasses.dataclass(frozen=True)
class Played:
    """A piece of new music, as it is made.

    samples: float32 (samples, channels).
    jumps: which of them go on elsewhere in what is remembered than the sample before, rising.
    """

    samples: np.ndarray
    jumps: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows start..stop of a batch of `of` rows."""

    start: int
    stop: int
    of: int

    @property
    def share(self) -> float:
        """Their part of the batch, 0 to 1."""
        return (self.stop - self.start) / self.of


@dataclasses.dataclass(frozen=True)
class Frames:
    """Sound as log-magnitudes of frequency bands, one row every hop.

    bands: float, shape (frames, channels, bands), natural logarithms; channel 0 is mid, channel 1 is side.
    """

    bands: np.ndarray

    @property
    def channels(self) -> int:
        return self.bands.shape[1]


NOTE = np.dtype([("start", np.int64), ("stop", np.int64), ("pitch", np.uint8), ("velocity", np.uint8)])
CONTROL = np.dtype([("tick", np.int64), ("controller", np.uint8), ("value", np.uint8)])
BEND = np.dtype([("tick", np.int64), ("value", np.int16)])


def no_controls() -> np.ndarray:
    return np.zeros(0, CONTROL)


def no_bends() -> np.ndarray:
    return np.zeros(0, BEND)


@dataclasses.dataclass(frozen=True)
class Part:
    """What one instrument plays.

    notes: dtype NOTE, in the order of (start, pitch); times are ticks, stop > start, pitches 0 to 127 (60 is middle
    C), velocities 1 to 127.
    program: of General MIDI, 0 to 127. drums: pitches are kinds of drum.
    controls: dtype CONTROL, control changes in the order of time: pedal (64), volume (7), expression (11), pan (10),
    bend range (registered parameter 0: 101, 100, 6, 38) and whatever else the part's channel was sent; value 0 to 127.
    bends: dtype BEND, pitch wheel, -8192 to 8191; 0 is no bend, the ends are the bend range (2 semitones unless set).
    """

    notes: np.ndarray
    program: int = 0
    drums: bool = False
    name: str = ""
    controls: np.ndarray = dataclasses.field(default_factory=no_controls)
    bends: np.ndarray = dataclasses.field(default_factory=no_bends)


@dataclasses.dataclass(frozen=True)
class Score:
    """Music as notes.

    resolution: ticks in a quarter note.
    tempos: (tick, quarter notes a minute); metres: (tick, beats in a bar, what note a beat is: 4 is a quarter). Both
    begin at tick 0.
    """

    parts: tuple[Part, ...]
    resolution: int = 480
    tempos: tuple[tuple[int, float], ...] = ((0, 120.0),)
    metres: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)

    @property
    def ticks(self) -> int:
        """When the last note ends."""
        return max((int(part.notes["stop"].max()) for part in self.parts if len(part.notes)), default=0)

    @property
    def count(self) -> int:
        """Of the notes."""
        return sum(len(part.notes) for part in self.parts)


@dataclasses.dataclass(frozen=True)
class Roll:
    """Music as notes on a grid, the pitched parts in one, drums left out.

    velocity: uint8, shape (steps, 128), of the notes that are active in a step, 0 where none is.
    onset: bool, the same shape: the note begins in this step. An active note without an onset is held.
    per_quarter: steps in a quarter note.
    tempos: (step, quarter notes a minute); metres: (step, beats in a bar, what note a beat is).
    """

    velocity: np.ndarray
    onset: np.ndarray
    per_quarter: int = 4
    tempos: tuple[tuple[int, float], ...] = ((0, 120.0),)
    metres: tuple[tuple[int, int, int], ...] = ((0, 4, 4),)

    @property
    def active(self) -> np.ndarray:
        """Which notes sound in each step, bool (steps, 128)."""
        return self.velocity > 0

    @property
    def steps(self) -> int:
        return len(self.velocity)
