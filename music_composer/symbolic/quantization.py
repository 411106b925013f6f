"""How far the grid moves the notes of a score. Models see notes on the grid only."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.roll import onset_steps, tick_of
from music_composer.values import Score

AUDIBLE = 0.010  # seconds; smaller shifts are not heard
STEPS = {1: "quarters", 2: "eighths", 4: "sixteenths", 8: "32nds"}  # names of a step, by steps in a quarter note


@dataclasses.dataclass(frozen=True)
class Moved:
    """Onsets of pitched notes that the grid moves.

    onsets: of all pitched notes. moved: how many of them move by more than AUDIBLE. mean, most: how far these move, in
    seconds.
    """

    onsets: int
    moved: int
    mean: float
    most: float


def moved_by(score: Score, per_quarter: int) -> Moved:
    """Measures how far a grid of `per_quarter` steps in a quarter note moves the onsets of a score."""
    away = [np.zeros(0)]
    for part, steps in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        if not part.drums:
            # Back from steps to ticks, to compare in seconds at the tempo of each note.
            on_grid = seconds_at(score, tick_of(steps, score.resolution, per_quarter))
            away.append(np.abs(seconds_at(score, part.notes["start"]) - on_grid))
    found = np.concatenate(away)
    far = found[found > AUDIBLE]
    return Moved(len(found), len(far), float(far.mean()) if len(far) else 0.0, float(far.max(initial=0.0)))


def grid_remarks(score: Score, per_quarter: int) -> tuple[str, ...]:
    """A remark on the onsets that the grid moves; none if it moves none."""
    found = moved_by(score, per_quarter)
    if not found.moved:
        return ()
    steps = STEPS.get(per_quarter, f"a grid of {per_quarter} steps a quarter note")
    return (
        f"{found.moved} of {found.onsets} onsets are not on {steps}: the grid moves them by "
        f"{1000 * found.mean:.0f} ms on average, {1000 * found.most:.0f} ms at most",
    )
