"""Trains the network of a run folder on several ranks of a cluster; one that is lost is replaced.

The run folder holds a checkpoint to begin with. All ranks read it, and rank 0 writes the next ones.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from typing import Any

from music_composer.audio.continuation.epoch_samples import sampler
from music_composer.audio.continuation.networks import build_model
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset.batches import WindowLoader
from music_composer.audio.dataset.cache import Cache
from music_composer.cluster.ranks import Place, RankExecutor, RankLostError
from music_composer.context import Context
from music_composer.errors import RunFolderError
from music_composer.training import checkpoint, devices, ranks
from music_composer.training.beginning import home_of, place_of, settle
from music_composer.training.checkpoint import TrainState
from music_composer.training.job import run_job
from music_composer.training.options import TrainOptions

TRIES = 4  # times that the same update may be lost


def rank_count(context: Context) -> int:
    """Returns how many ranks are to train; 0 where the process of the command does it by itself."""
    wanted = context.executor.rank_count() if isinstance(context.executor, RankExecutor) else 0
    if wanted and devices.backend_name() != "tensorflow":
        context.say(f"note: several machines train with TensorFlow only, not with {devices.backend_name()}")
        return 0
    return wanted


def train_on_ranks(
    run: Run, ready: Cache, loader: WindowLoader, options: TrainOptions, sample_every: int, count: int, context: Context
) -> TrainState:
    """Trains the job of the checkpoint to its end, and returns where it stands then.

    See `training.job.run_job` for what is raised.
    """
    executor = context.executor
    if not isinstance(executor, RankExecutor):
        raise TypeError(f"{executor!r} cannot start ranks")
    music = ready if sample_every else dataclasses.replace(ready, songs=())
    lost, before = 0, _state_of(_where(run)).step
    with context.patiently("the step is finished and all is saved"):
        while True:
            try:
                executor.run_ranks(train_rank, count, (_where(run), music, loader, options, sample_every), context)
                return _state_of(_where(run))
            except RankLostError as error:
                now = _state_of(_where(run)).step
                lost, before = (lost + 1, before) if now == before else (1, now)
                if lost == TRIES or context.stop_requested():
                    raise
                # The machine of the one that is lost may be gone, too.
                count = min(count, executor.rank_count() or 1)
                context.say(f"note: {error}; going on from update {now} on {count}")


def train_rank(
    place: Place, context: Context, run: Run, ready: Cache, loader: WindowLoader, options: TrainOptions, every: int
) -> None:
    """What each rank does: the job of the checkpoint, on its rows of every batch."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    kept: list[Any] = []  # what watches over the connection
    with ranks.losses():
        devices.load_keras(lambda: kept.append(ranks.connect(place.addresses, place.rank, place.threads)))
        from music_composer.training.loop import compile_model

        state = _state_of(run)
        model = build_model(run, flow_draws=options.flow_draws, skip_initialization=True)
        compile_model(model, options)
        checkpoint.load_checkpoint(run.checkpoint, model)
        # Asked to stop, a rank goes on until all know it.
        agreed = threading.Event()
        together = ranks.TensorFlowRanks(place.rank, place.count, loader.batch_size, context.cancelled, agreed)
        if together.total([state.step]) != [state.step * place.count]:
            raise RankLostError("the processes that train began with different checkpoints")
        inside = dataclasses.replace(context, cancelled=agreed.is_set)
        rows = dataclasses.replace(loader, rows=together.rows)
        run_job(model, rows, run, options, state, inside, sampler(model, run, ready, every, inside), together)


def _where(run: Run) -> Run:
    """The run where its training lies now. What a killed process was putting in its place is put there."""
    home = home_of(run.folder)
    settle(home)
    return dataclasses.replace(run, folder=place_of(home))


def _state_of(run: Run) -> TrainState:
    """Where the training stands. Raises RunFolderError where there is no checkpoint."""
    state = checkpoint.read_state(run.checkpoint)
    if state is None:
        raise RunFolderError(f"{run.checkpoint} is missing: give --fresh to start again")
    return state
