"""The harmony of the demonstration's songs: keys, chords and functional progressions.

Melodies and chords move on rungs: the notes of the key's seven-note scale, counted upward from the tonic next to middle
C, rung 0. Times are in beats, pitches are MIDI numbers (69 = A4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

import numpy as np

PHRASE_BARS = 4
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
TONIC, SUPERTONIC, SUBDOMINANT, DOMINANT, SUBMEDIANT = 0, 1, 3, 4, 5
KEYS = ((0, False), (2, False), (5, False), (7, False), (9, True), (4, True), (2, True))
NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
# The degrees that may follow each degree: tonic group -> subdominant group -> dominant -> tonic.
FOLLOWERS = {0: (1, 2, 3, 5), 1: (4,), 2: (3, 5), 3: (0, 1, 4), 4: (0, 5), 5: (1, 3)}


@dataclass(frozen=True)
class Key:
    """A tonic pitch class (0 = C) and a mode."""

    tonic: int
    minor: bool

    @property
    def name(self) -> str:
        """The name of the key, such as "A minor"."""
        return f"{NAMES[self.tonic]} {'minor' if self.minor else 'major'}"

    def pitch(self, rung: int, sharpened: bool = False) -> int:
        """The MIDI pitch of a rung. sharpened: raises the seventh of a minor scale to the leading tone."""
        octave, step = divmod(rung, 7)
        # Tonics from C up to F sharp lie above middle C, the others below.
        base = 60 + (self.tonic if self.tonic < 7 else self.tonic - 12)
        scale = MINOR if self.minor else MAJOR
        return base + 12 * octave + scale[step] + int(sharpened and self.minor and step == 6)


@dataclass(frozen=True)
class Chord:
    """A triad on a scale degree (0 = tonic) that lasts `duration` beats from `start`."""

    start: float
    duration: float
    degree: int

    @property
    def end(self) -> float:
        """The beat at which the next chord begins."""
        return self.start + self.duration

    def has_rung(self, rung: int) -> bool:
        """Whether a scale rung, in any octave, belongs to the triad."""
        return (rung - self.degree) % 7 in (0, 2, 4)

    def pitch_classes(self, key: Key) -> tuple[int, int, int]:
        """Root, third and fifth as pitch classes; the dominant of a minor key is a major triad."""
        root, third, fifth = (key.pitch(self.degree + up, self.degree == DOMINANT) % 12 for up in (0, 2, 4))
        return root, third, fifth


def draw_key(rng: np.random.Generator) -> Key:
    """A random key with a simple signature."""
    return Key(*KEYS[int(rng.integers(len(KEYS)))])


def draw_progressions(rng: np.random.Generator) -> Mapping[str, tuple[int, ...]]:
    """The degrees of a piece's three kinds of phrase, by cadence.

    "open" ends on the dominant; "close" begins with the same two chords and ends dominant-tonic; "bridge" begins with
    another chord and ends on the dominant.
    """
    opening = _draw_path(rng, TONIC, 4)
    # The closing phrase starts as the opening one, so that it sounds like its answer.
    answer = _draw_path(rng, opening[1], 3)
    bridge = _draw_path(rng, int(rng.choice([SUBDOMINANT, SUBMEDIANT])), 4)
    return {"open": opening, "close": (TONIC, *answer, TONIC), "bridge": bridge}


def _draw_path(rng: np.random.Generator, start: int, length: int) -> tuple[int, ...]:
    """A random walk of `length` degrees along FOLLOWERS from `start` to the dominant."""
    # Few degrees and short walks: all of them are listed, so that each is equally likely.
    walks = [(start, *between, DOMINANT) for between in product(FOLLOWERS, repeat=length - 2)]
    legal = [walk for walk in walks if all(b in FOLLOWERS[a] for a, b in zip(walk, walk[1:], strict=False))]
    return legal[int(rng.integers(len(legal)))]


def lay_out(degrees: Sequence[int], start: float, metre: int) -> list[Chord]:
    """The chords of a four-bar phrase, one a bar; a fifth chord shares the third bar with the one before it."""
    # The fifth chord takes the second half of the third bar.
    late = metre // 2
    shared = [metre - late, late] if len(degrees) > PHRASE_BARS else [metre]
    durations = [metre, metre, *shared, metre]
    starts = accumulate(durations, initial=start)
    return [Chord(*place) for place in zip(starts, durations, degrees, strict=False)]
