"""What a sample of the voices model is held to, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from music_composer.errors import OptionError
from music_composer.symbolic.constraints import Request
from music_composer.symbolic.models.voices.batches import LOWEST_SHIFT
from music_composer.symbolic.models.voices.encoding import LOWEST, to_piece
from music_composer.symbolic.options import VoicesOptions
from music_composer.symbolic.roll import bar_clock


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


def bounds_of(request: Request, model: VoicesOptions) -> Bounds:
    """Raises OptionError where nothing that is asked for lies on a key of the model."""
    piece = to_piece(request.kept, model)
    locked = np.where(piece.sounding, 1 + piece.manner, 0)
    keys = request.pitches[LOWEST : LOWEST + model.pitches]
    if not keys.any():
        raise OptionError("nothing that --scale and --range allow lies on the keys of a piano, A0 to C8")
    room = min(model.most, request.fullest or model.most) - piece.sounding.sum(axis=1)
    fullest = np.where(request.open_steps, np.maximum(room, 0), 0)
    return Bounds(bar_clock(request.kept), np.tile(keys, (request.steps, 1)), locked, fullest, -LOWEST_SHIFT)


def stacked(samples: Sequence[Bounds]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """As the player takes them: clock, allowed, locked and fullest of each step, and the shift of each sample."""
    kinds = {"clock": np.float32, "allowed": np.float32, "locked": np.int32, "fullest": np.int32}
    by_step = [np.stack([getattr(sample, name) for sample in samples]).astype(kind) for name, kind in kinds.items()]
    return by_step, [np.array([sample.shift for sample in samples], np.int32)]
