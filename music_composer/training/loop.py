"""The training loop: batches in, best weights and an exact checkpoint out. Knows nothing of sound or of notes.

Everything random in a step follows from (seed, epoch, step), so a run that was killed and goes on ends with the
weights of one that was not.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from music_composer.context import SILENT, Advance, Context
from music_composer.data.prefetch import prefetched
from music_composer.eta import Pace
from music_composer.progress import duration
from music_composer.stopping import Stopped
from music_composer.training.checkpoint import COLUMNS, TrainState
from music_composer.training.devices import compile_arguments
from music_composer.training.keeper import Keeper
from music_composer.training.learning_rate import learning_rate
from music_composer.training.options import TrainOptions
from music_composer.training.ranks import ALONE, Ranks

DRAWS_PER_STEP = 1000  # room between the random streams of two steps


Inputs = list[np.ndarray]  # of the model for one update, without the state before it


class DataLoader(Protocol):
    """What there is to learn. Random only through (seed, epoch): any epoch can be replayed."""

    @property
    def batches(self) -> int:
        """In an epoch."""

    def epoch(self, seed: int, epoch: int, first: int) -> Iterator[Sequence[Inputs]]:
        """The batches of an epoch, from the `first`-th on. Each is one update or several, the state carried on."""

    def held_out(self) -> Iterator[tuple[Inputs, int]]:
        """What the model is only judged by, and what each part counts: always the same, nothing if there is none.

        All of it, whatever part of the batches this loads.
        """


def compile_model(model: Any, options: TrainOptions) -> None:
    """AdamW with clipped gradients (Loshchilov & Hutter 2019), no decay on biases and norms."""
    from music_composer.training.optimizer import FusedAdamW

    optimizer = FusedAdamW(
        options.learning_rate,
        weight_decay=options.weight_decay,
        beta_2=0.99,
        global_clipnorm=options.clip_norm,
        use_ema=bool(options.average),
        ema_momentum=options.average,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=optimizer, **compile_arguments())
    optimizer.build(model.trainable_variables)


def train(
    model: Any,
    loader: DataLoader,
    options: TrainOptions,
    state: TrainState,
    save: Callable[[TrainState], None],
    after_epoch: Callable[[TrainState], None],
    context: Context = SILENT,
    ranks: Ranks = ALONE,
) -> None:
    """Trains until the job in `state` is done, changing `state` as it goes.

    model: compiled; takes inputs and state, as `learn` gives them; `noise_seed` holds its random state.
    save: keeps weights, optimiser and state for an exact resume; called after each epoch, and on the way in a long one.
    after_epoch: called before that; it keeps the weights when `state.best_epoch` is that epoch.
    ranks: the processes that train together. Only rank 0 saves. `loader` gives its rows of each batch; all else is the
    same in all of them.
    Raises Stopped when it is stopped: the update was finished and the checkpoint written.
    """
    per_epoch = loader.batches
    total = per_epoch * state.job_epochs
    estimate = _Estimate(context.say)
    ranks.join(model)
    state.carried = ranks.part(state.carried)
    stage, kept = context.stage("training", "steps", interruptible=False), Keeper(save, state, context, ranks)
    with stage as advance, kept as keeper:

        def after_update(inputs: Inputs, seconds: float) -> None:
            keeper.learnt()
            state.seconds += seconds
            estimate.update(inputs, seconds)
            if context.stop_requested():
                keeper.save()

        while not state.job_done:
            for batch in prefetched(loader.epoch(state.seed, state.epoch, state.batch)):
                done = (state.epoch - state.job_first) * per_epoch + state.batch
                model.optimizer.learning_rate = learning_rate(done / total, options)
                state.loss_sum += _learn_in_turn(model, batch, state, after_update, ranks)
                state.batch += 1
                if not math.isfinite(state.loss_sum):
                    raise FloatingPointError(f"the loss is {state.loss_sum} in epoch {state.epoch + 1}")
                estimate.batch(total - done - 1)
                words = f"epoch {state.epoch - state.job_first + 1}/{state.job_epochs}"
                loss = state.loss_sum / state.batch
                advance(done + 1, total, f"{words}, loss {loss:.4f}", epoch=state.epoch + 1, loss=loss)
                if keeper.seconds > options.checkpoint_seconds:
                    keeper.save()
            before = dataclasses.replace(state)
            try:
                with averaged(model):
                    _end_epoch(model, loader, state, after_epoch, context, ranks)
            except Stopped:  # while judging: the epoch ends when the training goes on
                vars(state).update(vars(before))
                keeper.save()
                raise
            _report_epoch(state, per_epoch, advance)
            keeper.save()


def learn(model: Any, inputs: Inputs, carried: Sequence[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    """One update of the weights by a batch and the state before it: loss and state after.

    The state comes back as plain numbers: no gradient goes through it.
    """
    from keras import ops

    found = model.train_on_batch([*inputs, *carried], return_dict=True)
    return float(found["loss"]), [ops.convert_to_numpy(found[f"state_{i}"]) for i in range(len(carried))]


def judge(model: Any, inputs: Inputs) -> float:
    """The loss of a batch that begins with nothing heard; nothing is learnt."""
    return float(model.test_on_batch([*inputs, *model.initial_state(len(inputs[0]))], return_dict=True)["loss"])


def held_out_loss(
    model: Any, loader: DataLoader, check: Callable[[], None] = lambda: None, ranks: Ranks = ALONE
) -> float | None:
    """Mean loss of what is held out, with the same noise every time; None when nothing is.

    check: is called before each part, and may raise Stopped. Of several processes each judges every so many parts.
    """
    total, counted = 0.0, 0.0
    for i, (inputs, counts) in enumerate(loader.held_out()):
        if i % ranks.count != ranks.rank:
            continue
        check()
        seed_step(model, 0, i)
        total += counts * judge(model, inputs)
        counted += counts
    total, counted = ranks.total([total, counted])
    return total / counted if counted else None


@contextmanager
def averaged(model: Any) -> Iterator[None]:
    """While inside, the weights are the mean of those before (Polyak & Juditsky 1992), if that is being kept."""
    if not model.optimizer.use_ema:
        yield
        return
    from keras import ops

    live = [ops.convert_to_numpy(weight).copy() for weight in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for weight in model.trainable_variables:
        # JAX shares the optimizer's own array, and a step on the weights would free it.
        weight.assign(ops.convert_to_numpy(weight).copy())
    try:
        yield
    finally:
        for weight, value in zip(model.trainable_variables, live, strict=True):
            weight.assign(value)


def seed_step(model: Any, seed: int, step: int) -> None:
    """Sets the model's random state to that of one step."""
    model.noise_seed.state.assign([seed % 2**31, step * DRAWS_PER_STEP])


def _learn_in_turn(
    model: Any,
    batch: Sequence[Inputs],
    state: TrainState,
    after_update: Callable[[Inputs, float], None] = lambda inputs, seconds: None,
    ranks: Ranks = ALONE,
) -> float:
    """The updates of a batch that are left, the LSTM's state carried on from one to the next; returns the mean loss of
    all. after_update: gets what was learnt from and the seconds that it took.

    Truncated backpropagation through time (Williams & Peng 1990): gradients reach back to an update's beginning, the
    memory to the batch's. The same music gives as many more updates, in states that only long listening leads to.
    """
    carried = model.initial_state(len(batch[0][0]))
    if [part.shape for part in state.carried] == [part.shape for part in carried]:
        carried = state.carried
    else:  # a new batch, or one of another size than that in which the training was stopped
        state.update, state.update_loss = 0, 0.0
    for inputs in batch[state.update :]:
        started = time.monotonic()
        seed_step(model, state.seed, state.step)
        loss, carried = learn(model, inputs, carried)
        loss = ranks.mean(loss)
        state.step, state.update, state.update_loss = state.step + 1, state.update + 1, state.update_loss + loss
        state.carried = carried
        after_update(inputs, time.monotonic() - started)
    mean = state.update_loss / state.update
    state.update, state.update_loss, state.carried = 0, 0.0, []
    return mean


def _end_epoch(
    model: Any,
    loader: DataLoader,
    state: TrainState,
    after_epoch: Callable[[TrainState], None],
    context: Context,
    ranks: Ranks,
) -> None:
    loss = state.loss_sum / state.batch
    judged = held_out_loss(model, loader, context.check, ranks)
    best = (loss if judged is None else judged) < state.best_loss
    row = (
        state.epoch + 1,
        round(loss, 6),
        "" if judged is None else round(judged, 6),
        f"{float(model.optimizer.learning_rate):.3g}",
        round(state.seconds, 2),
    )
    state.history = [*state.history, dict(zip(COLUMNS, row, strict=True))]
    if best:
        state.best_loss, state.best_epoch = (loss if judged is None else judged), state.epoch
    words = "" if judged is None else f", held-out {judged:.4f}"
    context.say(
        f"epoch {state.epoch - state.job_first + 1}/{state.job_epochs}: loss {loss:.4f}{words}"
        f" ({duration(state.seconds)}){' - best so far' if best else ''}"
    )
    state.epoch, state.batch, state.loss_sum, state.seconds = state.epoch + 1, 0, 0.0, 0.0
    after_epoch(state)


def _report_epoch(state: TrainState, per_epoch: int, advance: Advance) -> None:
    """Reports the row of the history that has just been added."""
    row = {name: float(value) for name, value in state.history[-1].items() if value != ""}
    done = state.epoch - state.job_first
    advance(done * per_epoch, state.job_epochs * per_epoch, f"epoch {done}/{state.job_epochs}", **row)


class _Estimate:
    """Says once, when the speed is known, how long the rest will take: by the numbers that an update is given, as
    batches differ in length.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say: Callable[[str], None] | None = say
        self._pace, self._work, self._batches = Pace(), 0.0, 0

    def update(self, inputs: Inputs, seconds: float) -> None:
        self._work += inputs[0].size
        self._pace.add(inputs[0].size, seconds, inputs[0].shape)

    def batch(self, left: int) -> None:
        """One is done, and so many are left."""
        self._batches += 1
        each = self._pace.seconds_for(self._work / self._batches)
        if self._say and left and each is not None:
            self._say(f"training takes about {duration(left * each)} on this machine: {left} steps of {each:.2f} s")
            self._say = None
