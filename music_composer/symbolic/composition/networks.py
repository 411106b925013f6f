"""The network of a symbolic run folder: built, given weights to train on from, or those that it plays with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from music_composer.options import TrainOptions
from music_composer.symbolic.composition.registry import composer_of
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.training import devices
from music_composer.training.job import restore
from music_composer.training.weights import load_weights


def trained_network(here: SymbolicRun) -> Any:
    """The network of a run folder as it plays."""
    devices.load_keras()
    model = composer_of(here.name).build(here.model)
    load_weights(model, here.weights, here.command)
    return model


def trainable_network(
    here: SymbolicRun, options: TrainOptions, seed: int, say: Callable[[str], None], going_on: bool = True
) -> Any:
    """The model, compiled, with the weights that it goes on from, if the run folder has any.

    going_on: False where the run begins anew, whatever the folder holds.
    """
    import keras

    from music_composer.training import loop

    keras.utils.set_random_seed(seed % 2**31)
    model = composer_of(here.name).build(here.model)
    loop.compile_model(model, options)
    if going_on:
        restore(model, here, say)
    return model
