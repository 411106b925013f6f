"""The network of a run folder: built, with weights for training or for generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from music_composer.audio.continuation import run_folder
from music_composer.audio.frame_arrays import FrameArray
from music_composer.audio.play_options import GenerateOptions
from music_composer.training import checkpoint, devices
from music_composer.training.job import restore
from music_composer.training.options import TrainOptions
from music_composer.training.weights import load_weights

if TYPE_CHECKING:
    from music_composer.audio.models.network import Continuation

Say = Callable[[str], None]


def build_model(run: run_folder.Run, **arguments: Any) -> Continuation:
    """Builds the network of a run folder without its weights.

    arguments: `flow_draws`, `flow_steps` and `skip_initialization` of the model.
    """
    from music_composer.audio.models.network import Continuation

    model = Continuation(run.model, run.size, **arguments)
    model.build()
    return model


def trained_network(run: run_folder.Run, options: GenerateOptions) -> Continuation:
    """Returns the network of a run folder with the weights that it plays with."""
    devices.load_keras()
    model = build_model(run, flow_steps=options.flow_steps, skip_initialization=True)
    load_weights(model, run.weights, run.command)
    return model


def trainable_network(
    run: run_folder.Run,
    music: FrameArray,
    options: TrainOptions,
    state: checkpoint.TrainState,
    resume: bool,
    say: Say,
) -> Continuation:
    """Returns the compiled model, with weights to continue from, or fitted to the training music.

    resume: the run folder already holds a run.
    """
    from music_composer.audio.linear_decoder import fit_decoder
    from music_composer.audio.pca import fit_encoding
    from music_composer.training import loop

    with devices.seeded(state.seed):
        model = build_model(run, flow_draws=options.flow_draws)
        loop.compile_model(model, options)
        # A run folder that has begun but holds no weights yet is fitted again, from the same seed.
        if not (resume and restore(model, run, say)):
            encoding = fit_encoding(
                [music], run.model.frames_per_step, run.model.components, run.model.whitening_exponent
            )
            reach = run.model.reach
            model.set_encoding(
                encoding, fit_decoder([music], run.model.frames_per_step, encoding, reach) if reach else None
            )
    return model
