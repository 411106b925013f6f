"""Which epochs a call of the command trains: a job that was cut off goes on, else a new one begins; and its course."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from typing import Any

from music_composer.context import SILENT, Context
from music_composer.errors import MusicComposerError
from music_composer.stopping import Stopped
from music_composer.training import checkpoint, run_folder
from music_composer.training.beginning import LOSS_PLOT, home_of, settle
from music_composer.training.checkpoint import TrainState
from music_composer.training.options import TrainOptions
from music_composer.training.ranks import ALONE, Ranks
from music_composer.training.weights import load_weights, save_weights


def next_job(
    state: TrainState | None,
    options: TrainOptions,
    digest: str,
    then_generate: bool,
    say: Callable[[str], None],
    chosen: int = 0,
) -> TrainState:
    """Goes on with a job that was cut off, or begins a new one of `-e` epochs.

    state: where the last training stopped, or None. digest: of the recordings that there are now. chosen: epochs of a
    new job where the options have none; a job that was cut off then goes on with its own, whatever music has come.
    """
    epochs = chosen if options.epochs is None else options.epochs
    if state is None:
        state = TrainState(secrets.randbelow(2**31) if options.seed is None else options.seed)
    elif state.music != digest:
        say("the recordings have changed since the last training: it goes on with those that are there now")
        state.batch, state.update, state.loss_sum, state.update_loss, state.carried = 0, 0, 0.0, 0.0, []
        if not state.job_done and options.epochs is None:
            state.music = digest
            return _cut_off(state, say)
    elif not state.job_done and options.epochs in (None, state.job_epochs):
        return _cut_off(state, say)
    elif state.job_done and state.job_owes_music and then_generate:
        say("the training of this job is finished, its music is not: going on with that")
        return state
    else:
        say(f"going on from {state.epoch} trained epochs with {epochs} more")
    state.music, state.job_owes_music = digest, then_generate
    state.job_first, state.job_epochs = state.epoch, epochs
    return state


def _cut_off(state: TrainState, say: Callable[[str], None]) -> TrainState:
    say(f"going on in epoch {state.epoch - state.job_first + 1} of {state.job_epochs}")
    return state


def restore(model: Any, run: run_folder.RunFolder, say: Callable[[str], None]) -> bool:
    """Puts the weights to go on from into a compiled model, with the optimiser's memory where that is kept too.

    False where there are none.
    """
    if run.checkpoint.exists():
        checkpoint.load_checkpoint(run.checkpoint, model)
    elif run.weights.exists():
        say(f"{run.checkpoint} is not there: going on from {run.weights.name} without the optimiser's memory")
        load_weights(model, run.weights, run.command)
    else:
        return False
    return True


def run_job(
    model: Any,
    loader: Any,
    run: run_folder.RunFolder,
    options: TrainOptions,
    state: TrainState,
    context: Context = SILENT,
    then: Callable[[TrainState], None] = lambda state: None,
    ranks: Ranks = ALONE,
) -> None:
    """Trains until the job is done. After each epoch the run folder holds the best weights, history and picture.

    run: where the training lies, as `beginning.place_of` gives it. When the first weights are safe, it is put in the
    place of what was there. then: what is to be done after each epoch besides. ranks: the processes that train
    together; only rank 0 writes.
    Raises Stopped when it was stopped, MusicComposerError when it cannot go on, with what to do.
    """
    from music_composer.reports.plots import plot_loss
    from music_composer.training import loop

    place = run
    home = dataclasses.replace(run, folder=home_of(run.folder))

    def after_epoch(state: TrainState) -> None:
        if ranks.rank:
            return
        if state.best_epoch == state.epoch - 1:
            save_weights(model, place.weights)
        run_folder.write_history(place.folder, state.history)
        plot_loss(state.history, place.folder / LOSS_PLOT)
        then(state)

    def save(state: TrainState) -> None:
        nonlocal place
        checkpoint.save_checkpoint(place.checkpoint, model, state)
        if place.folder != home.folder and state.epoch:
            settle(home.folder)
            place = place if place.checkpoint.exists() else home

    try:
        loop.train(model, loader, options, state, save, after_epoch, context, ranks)
    except KeyboardInterrupt:
        done = f"{state.epoch} epochs and {state.batch} steps"
        raise Stopped(f"stopped after {done}, all saved: the same command goes on from there") from None
    except FloatingPointError as error:
        raise MusicComposerError(
            f"{error}: the weights before that epoch are safe in {home.weights}; "
            "are there recordings with damaged samples among the music?"
        ) from error
