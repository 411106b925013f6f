"""When a training writes checkpoints, and how being stopped waits for the next."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from typing import Any

from music_composer.context import Context
from music_composer.training.checkpoint import TrainState
from music_composer.training.ranks import Ranks


class Keeper:
    """Writes checkpoints; while something is learnt that is in none, being stopped waits for the next."""

    def __init__(self, save: Callable[[TrainState], None], state: TrainState, context: Context, ranks: Ranks) -> None:
        self._save, self._state, self._context, self._ranks = save, state, context, ranks
        self._saved = time.monotonic()
        self._patience = contextlib.ExitStack()
        self._unsaved = False

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *error: Any) -> None:
        self._patience.__exit__(*error)

    @property
    def seconds(self) -> float:
        """Since the last checkpoint."""
        return time.monotonic() - self._saved

    def learnt(self) -> None:
        if not self._unsaved:
            self._patience.enter_context(self._context.patiently("the step is finished and all is saved"))
            self._unsaved = True

    def save(self) -> None:
        """Raises Stopped when it is done, if that was waiting for it."""
        whole = dataclasses.replace(self._state, carried=self._ranks.whole(self._state.carried))
        if self._ranks.rank == 0:
            self._save(whole)
        self._saved, self._unsaved = time.monotonic(), False
        self._patience.close()
