"""The constraints of a piece as the voices player takes them: step by step, on the keys of the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.errors import OptionError
from music_composer.symbolic.constraints import Constraints
from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT
from music_composer.symbolic.models.voices.encoding import to_piece
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import PIANO_LOWEST, bar_clock


@dataclasses.dataclass(frozen=True)
class Bounds:
    """The constraints of one sample.

    clock: float (steps, clock). allowed: bool (steps, pitches). fixed: int (steps, pitches), 0 is free, any other
    number is an active note with that articulation plus one. max_new_notes: int (steps,), besides the fixed ones.
    shift: index of the transposition that the network is told.
    """

    clock: np.ndarray
    allowed: np.ndarray
    fixed: np.ndarray
    max_new_notes: np.ndarray
    shift: int = 0

    @property
    def steps(self) -> int:
        return len(self.clock)


def bounds_of(constraints: Constraints, options: VoicesOptions) -> Bounds:
    """Raises OptionError where no allowed pitch is a key of the model."""
    piece = to_piece(constraints.fixed, options)
    allowed = constraints.pitches[PIANO_LOWEST : PIANO_LOWEST + options.pitches]
    if not allowed.any():
        raise OptionError("nothing that --scale and --range allow lies on the keys of a piano, A0 to C8")
    return Bounds(
        clock=bar_clock(constraints.fixed),
        allowed=np.tile(allowed, (constraints.steps, 1)),
        fixed=np.where(piece.active, 1 + piece.articulation, 0),
        max_new_notes=constraints.max_new_notes(options.most, piece.active),
        shift=-LOWEST_SHIFT,
    )


def stacked(samples: Sequence[Bounds]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The player's inputs for each step (clock, allowed, fixed, max_new_notes), and for each sample (shift)."""
    dtypes = {"clock": np.float32, "allowed": np.float32, "fixed": np.int32, "max_new_notes": np.int32}
    step_inputs = [
        np.stack([getattr(sample, name) for sample in samples]).astype(dtype) for name, dtype in dtypes.items()
    ]
    return step_inputs, [np.array([sample.shift for sample in samples], np.int32)]
