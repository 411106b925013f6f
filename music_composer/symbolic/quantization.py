"""How far a grid of steps moves the notes of a score, in words. Models hear notes on the grid alone."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.symbolic.midi.tempo import seconds_at
from music_composer.symbolic.roll import onset_steps, tick_of
from music_composer.values import Score

NOTICED = 0.010  # seconds; nobody hears less
STEPS = {1: "quarters", 2: "eighths", 4: "sixteenths", 8: "32nds"}  # by steps in a quarter note


@dataclasses.dataclass(frozen=True)
class Moved:
    """onsets: of pitched notes, how many of them the grid moves by more than NOTICED, and how far these, in seconds."""

    onsets: int
    moved: int
    mean: float
    most: float


def moved_by(score: Score, per_quarter: int) -> Moved:
    away = [np.zeros(0)]
    for part, steps in zip(score.parts, onset_steps(score, per_quarter), strict=True):
        if not part.drums:
            on_grid = seconds_at(score, tick_of(steps, score.resolution, per_quarter))
            away.append(np.abs(seconds_at(score, part.notes["start"]) - on_grid))
    found = np.concatenate(away)
    far = found[found > NOTICED]
    return Moved(len(found), len(far), float(far.mean()) if len(far) else 0.0, float(far.max(initial=0.0)))


def grid_remarks(score: Score, per_quarter: int) -> tuple[str, ...]:
    """What is to be said of it, if anything."""
    found = moved_by(score, per_quarter)
    if not found.moved:
        return ()
    steps = STEPS.get(per_quarter, f"a grid of {per_quarter} steps a quarter note")
    return (
        f"{found.moved} of {found.onsets} onsets are not on {steps}: a model hears them moved by "
        f"{1000 * found.mean:.0f} ms on average, {1000 * found.most:.0f} ms at most",
    )
