"""The network of a run folder, built and filled with weights: for training, or for playing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from music_composer.symbolic.composition.registry import note_model
from music_composer.symbolic.composition.run_folder import SymbolicRun
from music_composer.training import devices
from music_composer.training.job import restore
from music_composer.training.options import TrainOptions
from music_composer.training.weights import load_weights


def trained_network(run: SymbolicRun) -> Any:
    """The network with its best weights. Raises RunFolderError where these are missing or damaged."""
    devices.load_keras()
    network = note_model(run.name).build(run.model)
    load_weights(network, run.weights, run.command)
    return network


def trainable_network(
    run: SymbolicRun, options: TrainOptions, seed: int, say: Callable[[str], None], going_on: bool = True
) -> Any:
    """The network, compiled for training, with the weights of the last checkpoint if the run folder has one.

    going_on: False starts from random weights, whatever the folder holds.
    """
    from music_composer.training import loop

    with devices.seeded(seed):
        network = note_model(run.name).build(run.model)
        loop.compile_model(network, options)
    if going_on:
        restore(network, run, say)
    return network
