"""The network of a run folder: built, given weights to train on from, or those that it plays with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from music_composer.audio.frame_arrays import FrameArray
from music_composer.options import GenerateOptions, TrainOptions
from music_composer.training import checkpoint, devices, run_folder
from music_composer.training.job import restore
from music_composer.training.weights import load_weights

if TYPE_CHECKING:
    from music_composer.audio.models.network import Continuation

Say = Callable[[str], None]


def build_model(here: run_folder.Run, **ways: Any) -> Continuation:
    """The network of a run folder, without its weights. ways: `flow_draws`, `flow_steps`, `blank` of the model."""
    from music_composer.audio.models.network import Continuation

    model = Continuation(here.model, here.size, **ways)
    model.build()
    return model


def trained_network(here: run_folder.Run, options: GenerateOptions) -> Continuation:
    """The network of a run folder as it plays."""
    devices.load_keras()
    model = build_model(here, flow_steps=options.flow_steps, blank=True)
    load_weights(model, here.weights, here.command)
    return model


def trainable_network(
    here: run_folder.Run,
    music: FrameArray,
    options: TrainOptions,
    state: checkpoint.TrainState,
    going_on: bool,
    say: Say,
) -> Continuation:
    """The model, compiled, with the weights that it goes on from, or fitted to the training music.

    going_on: the run folder holds a run already.
    """
    from music_composer.audio.linear_decoder import fit_decoder
    from music_composer.audio.pca import fit_encoding
    from music_composer.training import loop

    with devices.seeded(state.seed):
        model = build_model(here, flow_draws=options.flow_draws)
        loop.compile_model(model, options)
        if not (going_on and restore(model, here, say)):
            encoding = fit_encoding([music], here.model.stack, here.model.components, here.model.tilt)
            reach = here.model.reach
            model.set_encoding(encoding, fit_decoder([music], here.model.stack, encoding, reach) if reach else None)
    return model
