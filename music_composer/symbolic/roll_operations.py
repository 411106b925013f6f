"""Piano rolls padded, cut, concatenated and overlaid."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.symbolic.roll import bars_of
from music_composer.values import PITCHES, Roll


def silence(steps: int, blank: Roll) -> Roll:
    """A silent roll of a number of steps, on the grid and in the tempos and metres of another."""
    velocity = np.zeros((steps, PITCHES), np.uint8)
    return dataclasses.replace(blank, velocity=velocity, onset=velocity.astype(bool))


def lengthened(roll: Roll, steps: int) -> Roll:
    """The roll with a number of silent steps at the end."""
    width = roll.velocity.shape[1]
    velocity, onset = (
        np.concatenate([array, np.zeros((steps, width), array.dtype)]) for array in (roll.velocity, roll.onset)
    )
    return dataclasses.replace(roll, velocity=velocity, onset=onset)


def joined(first: Roll, second: Roll) -> Roll:
    """Two rolls, one after the other, in the tempos and metres of the first."""
    velocity, onset = (
        np.concatenate(pair) for pair in ((first.velocity, second.velocity), (first.onset, second.onset))
    )
    return dataclasses.replace(first, velocity=velocity, onset=onset)


def shortened(roll: Roll, steps: int) -> Roll:
    """The roll without its first steps. Notes that are held across the cut get an onset there."""
    velocity, onset = roll.velocity[steps:], roll.onset[steps:].copy()
    onset[:1] = velocity[:1] > 0
    tempos, metres = (_changes_from(changes, steps) for changes in (roll.tempos, roll.metres))
    return dataclasses.replace(roll, velocity=velocity, onset=onset, tempos=tempos, metres=metres)


def beginning(roll: Roll, steps: int) -> Roll:
    """The first steps of a roll."""
    tempos = tuple(change for change in roll.tempos if change[0] < max(1, steps))
    metres = tuple(change for change in roll.metres if change[0] < max(1, steps))
    return dataclasses.replace(
        roll, velocity=roll.velocity[:steps], onset=roll.onset[:steps], tempos=tempos, metres=metres
    )


def without_lead_in(roll: Roll) -> Roll:
    """The roll without silent bars at the beginning."""
    active_steps = np.flatnonzero(roll.active.any(axis=1))
    if not len(active_steps):
        return roll
    bars = np.flatnonzero(bars_of(roll)[0] == 0)
    return shortened(roll, int(bars[bars <= active_steps[0]][-1]))


def laid_over(generated: Roll, fixed: Roll) -> Roll:
    """A generated roll with the fixed notes on top, exactly as they were.

    Models know neither every velocity nor every pitch; the fixed notes keep theirs.
    """
    velocity = np.where(fixed.active, fixed.velocity, generated.velocity)
    onset = np.where(fixed.active, fixed.onset, generated.onset)
    return dataclasses.replace(generated, velocity=velocity, onset=onset)


def _changes_from(changes: Any, steps: int) -> Any:
    """Changes (step, ...) from a step on. The first of them is at 0."""
    last = [change for change in changes if change[0] <= steps][-1]
    return ((0, *last[1:]), *((step - steps, *rest) for step, *rest in changes if step > steps))
