"""What a sample is held to, step by step: a beginning to go on from, voices to keep, two sides of a gap to join."""

from __future__ import annotations

import dataclasses

import numpy as np

from music_composer.errors import OptionError
from music_composer.symbolic.encoding import LOWEST, bar_clock, to_piece
from music_composer.symbolic.frames import bars_of
from music_composer.symbolic.lessons import LOWEST_SHIFT
from music_composer.symbolic.options import BoundOptions, VoicesOptions
from music_composer.symbolic.scales import allowed_pitches
from music_composer.values import Roll


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What one sample is held to.

    clock: float (steps, clock). allowed: bool (steps, pitches), what may sound. locked: int (steps, pitches), 0 is
    free, 1 and more sound, with the manner less one. fullest: int (steps,), notes at most besides those locked.
    shift: transposition that the model is told.
    """

    clock: np.ndarray
    allowed: np.ndarray
    locked: np.ndarray
    fullest: np.ndarray
    shift: int = 0

    @property
    def steps(self) -> int:
        return len(self.clock)


def bounds_of(kept: Roll, open_steps: np.ndarray, model: VoicesOptions, options: BoundOptions) -> Bounds:
    """kept: its notes sound, whatever else does. open_steps: bool (steps,), where other notes may be added.

    Raises OptionError where the options leave no key of the model.
    """
    piece = to_piece(kept, model)
    locked = np.where(piece.sounding, 1 + piece.manner, 0)
    keys = allowed_pitches(options)[LOWEST : LOWEST + model.pitches]
    if not keys.any():
        raise OptionError("nothing that --scale and --range allow lies on the keys of a piano, A0 to C8")
    room = min(model.most, options.max_polyphony or model.most) - piece.sounding.sum(axis=1)
    fullest = np.where(open_steps, np.maximum(room, 0), 0)
    return Bounds(bar_clock(kept), np.tile(keys, (kept.steps, 1)), locked, fullest, -LOWEST_SHIFT)


def lengthened(roll: Roll, steps: int) -> Roll:
    """With so many silent steps more."""
    more = np.zeros((steps, roll.velocity.shape[1]))
    velocity, struck = (np.concatenate([each, more.astype(each.dtype)]) for each in (roll.velocity, roll.struck))
    return dataclasses.replace(roll, velocity=velocity, struck=struck)


def without(roll: Roll, gap: np.ndarray) -> Roll:
    """Silent in a gap, bool (steps,). What is held on over its end is struck there."""
    velocity, struck = roll.velocity.copy(), roll.struck.copy()
    velocity[gap], struck[gap] = 0, False
    before = np.concatenate([np.zeros_like(velocity[:1]), velocity[:-1]]) > 0
    return dataclasses.replace(roll, velocity=velocity, struck=(struck | ~before) & (velocity > 0))


def laid_over(made: Roll, kept: Roll) -> Roll:
    """What was made, with what was to be kept exactly as it was: no shade is lost, and no note beyond the keys."""
    sounds = kept.sounding
    velocity = np.where(sounds, kept.velocity, made.velocity)
    return dataclasses.replace(made, velocity=velocity, struck=np.where(sounds, kept.struck, made.struck))


def gap_of(roll: Roll, first_bar: int, last_bar: int) -> np.ndarray:
    """Steps of some bars, counted from 1, the last one included, bool (steps,). Raises OptionError for no such bars."""
    position, _ = bars_of(roll)
    bar = np.cumsum(position == 0)
    if not 1 <= first_bar <= last_bar <= bar[-1]:
        raise OptionError(f"--from-bar {first_bar} --to-bar {last_bar}: there are bars 1 to {bar[-1]}, the lower first")
    return (bar >= first_bar) & (bar <= last_bar)
