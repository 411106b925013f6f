"""The network of a symbolic run folder: built, given weights to train on from, or those that it plays with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from music_composer.options import TrainOptions
from music_composer.symbolic.lessons import Piece, voices_inputs
from music_composer.symbolic.run import SymbolicRun
from music_composer.training import devices, run
from music_composer.training.job import restore

if TYPE_CHECKING:
    from music_composer.symbolic.models.voices import Voices


def build_model(here: SymbolicRun) -> Voices:
    """Without its weights."""
    from music_composer.symbolic.models.voices import Voices

    model = Voices(here.model)
    nothing = Piece(np.zeros((1, here.model.pitches), bool), np.zeros((1, here.model.clock), np.float32))
    model(voices_inputs([nothing], [0], here.model, 2))
    return model


def trained_network(here: SymbolicRun) -> Voices:
    """The network of a run folder as it plays."""
    devices.load_keras()
    devices.play_fast()
    model = build_model(here)
    run.load_weights(model, here)
    return model


def trainable_network(here: SymbolicRun, options: TrainOptions, seed: int, say: Callable[[str], None]) -> Voices:
    """The model, compiled, with the weights it is to go on from."""
    import keras

    from music_composer.training import loop

    keras.utils.set_random_seed(seed % 2**31)
    model = build_model(here)
    loop.compile_model(model, options)
    restore(model, here, say)
    return model
