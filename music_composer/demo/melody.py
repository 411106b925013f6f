"""The melody of the demonstration's songs: a motif over the chords of each phrase.

Strong beats take chord tones near the motif's contour; weak beats move between them by step. Heights are rungs of the
key's scale, as in `harmony`; times are in beats.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from music_composer.demo.harmony import PHRASE_BARS, TONIC, Chord

RHYTHMS = {
    3: ((2, 1), (1, 1, 1), (1.5, 0.5, 1), (1, 0.5, 0.5, 1), (1, 1, 0.5, 0.5)),
    4: ((2, 1, 1), (1, 1, 1, 1), (1.5, 0.5, 2), (1.5, 0.5, 1, 1), (2, 1, 0.5, 0.5), (1, 0.5, 0.5, 2)),
}
CONTOURS = ((0, 2, 4, 2, 0), (0, 1, 3, 4, 2), (4, 3, 2, 1, 0), (2, 0, 2, 4, 0), (0, 3, 1, 4, 1))
LOWEST_RUNG = 6


@dataclass(frozen=True)
class Motif:
    """The material of a phrase: two bar rhythms (beats), heights at the five bar lines (rungs), a turn of +-1."""

    first: tuple[float, ...]
    second: tuple[float, ...]
    contour: tuple[int, ...]
    turn: int

    def embellished(self) -> "Motif":
        """The motif with the longest note of its first bar split: a variation for its return."""
        longest = int(np.argmax(self.first))
        split = (self.first[longest] - 0.5, 0.5)
        return replace(self, first=self.first[:longest] + split + self.first[longest + 1 :])

    def contrasting(self) -> "Motif":
        """A motif for the bridge: the two rhythms exchanged, the contour upside down and a little higher."""
        return Motif(self.second, self.first, tuple(5 - height for height in self.contour), -self.turn)


@dataclass(frozen=True)
class Tone:
    """A melody note on a rung. strong: whether it must be a chord tone."""

    start: float
    duration: float
    rung: int
    strong: bool
    chord: Chord


def draw_motif(rng: np.random.Generator, metre: int) -> Motif:
    """A random motif with two different bar rhythms."""
    first, second = rng.choice(len(RHYTHMS[metre]), size=2, replace=False)
    contour = CONTOURS[int(rng.integers(len(CONTOURS)))]
    return Motif(RHYTHMS[metre][first], RHYTHMS[metre][second], contour, int(rng.choice([-1, 1])))


def sing(motif: Motif, chords: Sequence[Chord], metre: int, closing: bool) -> list[Tone]:
    """The motif over the chords of a phrase. closing: the phrase ends on the tonic."""
    rhythm = _set_rhythm(motif, chords, metre, closing)
    begin, heights = chords[0].start, np.array(motif.contour)
    bar_lines = begin + metre * np.arange(PHRASE_BARS + 1)
    tones = []
    for index, tone in enumerate(rhythm):
        if tone.strong:
            target = LOWEST_RUNG + float(np.interp(tone.start, bar_lines, heights))
            tones.append(replace(tone, rung=_nearest(target, tone.chord, closing and index == len(rhythm) - 1)))
        else:
            tones.append(tone)
    return _fill_in(tones, motif.turn)


def _set_rhythm(motif: Motif, chords: Sequence[Chord], metre: int, closing: bool) -> list[Tone]:
    """Tones that fill the bars of a phrase exactly, without heights."""
    # An open phrase has an upbeat to the next one.
    rest = (metre,) if closing else (metre - 1, 1)
    durations = np.array([*motif.first, *motif.second, *motif.first, *rest], dtype=float)
    starts = chords[0].start + np.cumsum(durations) - durations
    tones = []
    for start, duration in zip(starts.tolist(), durations.tolist(), strict=True):
        chord = next(chord for chord in chords if chord.start <= start < chord.end)
        # Beats 1 and 3 of four, beat 1 of three.
        strong = start == chord.start or start % metre in (0, 2 * (metre // 4))
        tones.append(Tone(start, duration, 0, strong, chord))
    return tones


def _nearest(target: float, chord: Chord, resting: bool) -> int:
    """The chord's rung nearest to the target. resting: the nearest tonic instead."""
    # An octave below and two above the lowest rung.
    candidates = [rung for rung in range(LOWEST_RUNG - 7, LOWEST_RUNG + 14) if chord.has_rung(rung)]
    if resting:
        candidates = [rung for rung in candidates if rung % 7 == TONIC]
    return min(candidates, key=lambda rung: (abs(rung - target), rung))


def _fill_in(tones: Sequence[Tone], turn: int) -> list[Tone]:
    """Gives heights to the weak tones, each on the way to the next strong tone."""
    filled: list[Tone] = []
    for index, tone in enumerate(tones):
        if not tone.strong:
            current = filled[-1].rung
            ahead = next((j for j in range(index, len(tones)) if tones[j].strong), None)
            # Without a strong tone ahead the line turns by one step.
            distance, steps = (tones[ahead].rung - current, ahead - index + 1) if ahead else (turn, 1)
            tone = replace(tone, rung=_walk(current, distance, steps, turn, tone.chord))
        filled.append(tone)
    return filled


def _walk(current: int, distance: int, steps: int, turn: int, chord: Chord) -> int:
    """The next rung on a way of `distance` rungs in `steps`; it turns away where there is no room."""
    move = round(distance / steps) or -int(np.sign(distance)) or turn
    if abs(move) > 1:  # only chord tones are reached by leap
        return _nearest(current + move, chord, resting=False)
    return current + move
