"""What jobs give back. The scorecards are those of `evaluation`."""

from __future__ import annotations

import dataclasses

from music_composer.evaluation.audio.scorecard_records import Scorecard as Scorecard
from music_composer.evaluation.symbolic.scorecard_records import Scorecard as NotesScorecard

__all__ = ["NotesScorecard", "Prepared", "Scorecard"]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What there is to learn from. files: that can be used; seconds: of music in them."""

    files: int
    seconds: float
