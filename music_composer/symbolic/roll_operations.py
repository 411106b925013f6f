"""Piano rolls lengthened, cut, joined and laid over one another."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from music_composer.symbolic.roll import PITCHES, bars_of
from music_composer.values import Roll


def silence(steps: int, blank: Roll) -> Roll:
    """Silent steps on the grid, in the tempo and metre of another roll."""
    none = np.zeros((steps, PITCHES), np.uint8)
    return dataclasses.replace(blank, velocity=none, struck=none.astype(bool))


def lengthened(roll: Roll, steps: int) -> Roll:
    """With so many silent steps more."""
    width = roll.velocity.shape[1]
    velocity, struck = (
        np.concatenate([each, np.zeros((steps, width), each.dtype)]) for each in (roll.velocity, roll.struck)
    )
    return dataclasses.replace(roll, velocity=velocity, struck=struck)


def joined(first: Roll, second: Roll) -> Roll:
    """One after the other, in the tempo and metre of the first."""
    velocity, struck = (
        np.concatenate(pair) for pair in ((first.velocity, second.velocity), (first.struck, second.struck))
    )
    return dataclasses.replace(first, velocity=velocity, struck=struck)


def shortened(roll: Roll, steps: int) -> Roll:
    """Without so many steps at the beginning. What is held on over the cut is struck there."""
    velocity, struck = roll.velocity[steps:], roll.struck[steps:].copy()
    struck[:1] = velocity[:1] > 0
    tempos, metres = (_changes_from(changes, steps) for changes in (roll.tempos, roll.metres))
    return dataclasses.replace(roll, velocity=velocity, struck=struck, tempos=tempos, metres=metres)


def beginning(roll: Roll, steps: int) -> Roll:
    """The first steps alone."""
    tempos = tuple(change for change in roll.tempos if change[0] < max(1, steps))
    metres = tuple(change for change in roll.metres if change[0] < max(1, steps))
    return dataclasses.replace(
        roll, velocity=roll.velocity[:steps], struck=roll.struck[:steps], tempos=tempos, metres=metres
    )


def without_lead_in(roll: Roll) -> Roll:
    """Without the silent bars at the beginning."""
    sounding = np.flatnonzero(roll.sounding.any(axis=1))
    if not len(sounding):
        return roll
    bars = np.flatnonzero(bars_of(roll)[0] == 0)
    return shortened(roll, int(bars[bars <= sounding[0]][-1]))


def laid_over(made: Roll, kept: Roll) -> Roll:
    """What was made, with what was to be kept exactly as it was: no shade is lost, and no note beyond the keys."""
    sounds = kept.sounding
    velocity = np.where(sounds, kept.velocity, made.velocity)
    return dataclasses.replace(made, velocity=velocity, struck=np.where(sounds, kept.struck, made.struck))


def _changes_from(changes: Any, steps: int) -> Any:
    """(step, ...) as they are from a step on, the first of them at 0."""
    last = [change for change in changes if change[0] <= steps][-1]
    return ((0, *last[1:]), *((step - steps, *rest) for step, *rest in changes if step > steps))
