"""What plays in a run folder: its network, or what it remembers of the training music."""

from __future__ import annotations

import dataclasses

from music_composer.audio.memory import store
from music_composer.audio.memory.options import MemoryOptions, WalkOptions
from music_composer.audio.memory.player import MemoryPlayer
from music_composer.audio.memory.steps import StepOptions
from music_composer.audio.players import Player
from music_composer.networks import trained_network
from music_composer.options import MEMORY, GenerateOptions
from music_composer.training.run import Run


def player_of(here: Run, options: GenerateOptions) -> Player:
    """The head of a run folder, to be asked for sound. Raises RunFolderError where it is damaged."""
    if here.model.head == MEMORY:
        recordings = store.recall(here.memory, here.memory_files, StepOptions(), here.frame)
        return MemoryPlayer(
            recordings, here.frame, MemoryOptions(walk=WalkOptions(guard=options.guard)), options.chunk_seconds
        )
    model = trained_network(here, options)
    from music_composer.audio.network_player import NetworkPlayer

    return NetworkPlayer(model, here.frame, options)


def listening(here: Run, options: GenerateOptions, named: bool) -> GenerateOptions:
    """The options with as many seconds of a prompt as its head listens to. named: the prompts are the user's."""
    if here.model.head != MEMORY:
        return options
    memory = MemoryOptions()
    return dataclasses.replace(options, prompt_seconds=memory.heard_seconds if named else memory.excerpt_seconds)
