"""A continuation after every few epochs, with the weights of that moment: how a network learns, to listen to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from music_composer.audio.continuation.prompt_selection import RandomPrompts
from music_composer.audio.continuation.registry import with_head
from music_composer.audio.continuation.run_folder import Run
from music_composer.audio.dataset.cache import Cache
from music_composer.audio.play_options import GenerateOptions
from music_composer.context import Context
from music_composer.training import beginning
from music_composer.training.checkpoint import TrainState
from music_composer.training.weights import save_weights

SECONDS = 10.0  # of new music in each
NAME = "sample.wav"


def sampler(model: Any, run: Run, ready: Cache, every: int, context: Context) -> Callable[[TrainState], None]:
    """Returns what to do after each epoch: every `every` epochs, continue the same excerpt of the music. 0: nothing.

    model: in training. It plays from the weights of that moment, and its training is not changed.
    """
    options = GenerateOptions(seconds=SECONDS, count=1)
    plays = with_head(run, run.model.network_head)

    def sample(state: TrainState) -> None:
        if not every or state.epoch % every:
            return
        from music_composer.audio.continuation.network_player import NetworkPlayer
        from music_composer.audio.continuation.writing import write_continuations

        folder = beginning.samples_of(run.folder, state.epoch)
        folder.mkdir(parents=True, exist_ok=True)
        prompt = RandomPrompts(ready, plays, options.prompt_seconds, state.seed, context.say)(0)
        player = NetworkPlayer(model, run.frame, options)
        write_continuations(player, run.frame, [prompt], [folder / NAME], [0], options, state.seed)
        save_weights(model, dataclasses.replace(run, folder=folder).weights)
        context.written(folder / NAME)

    return sample
