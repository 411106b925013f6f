"""Which epochs a call of the command trains: a job that was cut off goes on, else a new one begins."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from music_composer.options import TrainOptions
from music_composer.training.checkpoint import TrainState


def next_job(
    state: TrainState | None, options: TrainOptions, digest: str, then_generate: bool, say: Callable[[str], None]
) -> TrainState:
    """Goes on with a job that was cut off, or begins a new one of `-e` epochs.

    state: where the last training stopped, or None. digest: of the recordings that there are now.
    """
    if state is None:
        state = TrainState(secrets.randbelow(2**31) if options.seed is None else options.seed)
    elif state.music != digest:
        say("the recordings have changed since the last training: it goes on with those that are there now")
        state.batch, state.loss_sum = 0, 0.0
    elif not state.job_done and state.job_epochs == options.epochs:
        say(f"going on in epoch {state.epoch - state.job_first + 1} of {state.job_epochs}")
        return state
    elif state.job_done and state.job_owes_music and then_generate:
        say("the training of this job is finished, its music is not: going on with that")
        return state
    else:
        say(f"going on from {state.epoch} trained epochs with {options.epochs} more")
    state.music, state.job_owes_music = digest, then_generate
    state.job_first, state.job_epochs = state.epoch, options.epochs
    return state
